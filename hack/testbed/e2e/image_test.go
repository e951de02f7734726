//go:build testbed

package e2e

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const probeImage = "example.com/probe:1"

// build builds a program of the testbed's module, statically.
func build(t *testing.T, pkg, output string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), output)
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// archive packs one program into an image of its own.
func archive(t *testing.T, program string) string {
	t.Helper()
	binary, err := os.ReadFile(program)
	check(t, err)
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	check(t, w.WriteHeader(&tar.Header{Name: "probe", Mode: 0o755, Size: int64(len(binary))}))
	_, err = w.Write(binary)
	check(t, err)
	check(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	})
	check(t, err)
	image, err := mutate.AppendLayers(empty.Image, layer)
	check(t, err)
	image, err = mutate.ConfigFile(image, withPlatform(t, image))
	check(t, err)
	tag, err := name.NewTag(probeImage)
	check(t, err)
	path := filepath.Join(t.TempDir(), "probe.tar")
	check(t, tarball.WriteToFile(path, tag, image))
	return path
}

func withPlatform(t *testing.T, image v1.Image) *v1.ConfigFile {
	t.Helper()
	config, err := image.ConfigFile()
	check(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", goarch
	config.Config.Entrypoint = []string{"/probe"}
	return config
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
