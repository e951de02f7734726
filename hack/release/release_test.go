package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// TestImage makes an image of a small program for this machine's architecture, twice, and reads the layout back as tools that
// mirror it do.
func TestImage(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/x\n\ngo 1.26.0\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	image := project.Image{Name: "x", Reference: "ghcr.io/hanse-io/hanse-x:1.2.3", Entrypoint: []string{"/x"},
		Binaries: []project.Binary{{Path: "/x", Go: ".", Package: "."}}}
	var digests []v1.Hash
	var files []string
	for range 2 {
		r := release{root: root, to: t.TempDir(), work: t.TempDir(), version: "1.2.3", time: noon, out: io.Discard,
			platforms: []platform{{"linux", runtime.GOARCH}, {"windows", runtime.GOARCH}}}
		digest, err := r.image(t.Context(), image)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := fileSum(r.path("images", "hanse-x-1.2.3.tar"))
		if err != nil {
			t.Fatal(err)
		}
		digests, files = append(digests, digest), append(files, sum)
		checkLayout(t, unpack(t, r.path("images", "hanse-x-1.2.3.tar")), digest)
	}
	if digests[0] != digests[1] || files[0] != files[1] {
		t.Errorf("two runs differ: %v, %v", digests, files)
	}
}

// checkLayout checks that a layout holds one index, of one image for Linux, whose contents have the digests that it says.
func checkLayout(t *testing.T, folder string, digest v1.Hash) {
	t.Helper()
	outer, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("the layout's index: %+v, %v", manifest, err)
	}
	only := manifest.Manifests[0]
	if only.Digest != digest || only.Annotations[annotationTag] != "1.2.3" || only.Annotations[annotationReference] != "ghcr.io/hanse-io/hanse-x:1.2.3" {
		t.Errorf("the layout's only entry is %+v", only)
	}
	index, err := outer.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	inner, err := index.IndexManifest()
	if err != nil || len(inner.Manifests) != 1 || inner.Manifests[0].Platform.OS != "linux" || inner.Manifests[0].Platform.Architecture != runtime.GOARCH {
		t.Fatalf("the image's index: %+v, %v", inner, err)
	}
	image, err := index.Image(inner.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil || config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/x"}) {
		t.Errorf("config %+v, %v", config, err)
	}
}

func unpack(t *testing.T, file string) (folder string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	for files := tar.NewReader(bytes.NewReader(text)); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return folder
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(folder, header.Name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVersionOf(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "internal/version"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "internal/version/VERSION"), []byte("1.2.3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why, asked string
		ok         bool
	}{
		{"the tree's own", "", true}, {"the same", "1.2.3", true}, {"another would be in the name alone", "1.2.4", false},
	} {
		if got, err := versionOf(root, row.asked); (err == nil) != row.ok || row.ok && got != "1.2.3" {
			t.Errorf("%s: %q, %v", row.why, got, err)
		}
	}
}

func TestParsePlatforms(t *testing.T) {
	all, err := parsePlatforms(platforms)
	if err != nil || len(all) != 5 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, wrong := range []string{"", "linux", "linux/", "/amd64", "linux/amd64,"} {
		if _, err := parsePlatforms(wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

// Krew refuses an archive whose checksum is another, and a program that is not where the manifest says.
func TestKrewPlatform(t *testing.T) {
	for _, row := range []struct {
		on       platform
		uri, bin string
	}{
		{platform{"linux", "arm64"}, "https://github.com/hanse-io/hanse/releases/download/v1.2.3/kubectl-hanse_1.2.3_linux_arm64.tar.gz", "kubectl-hanse"},
		{platform{"windows", "amd64"}, "https://github.com/hanse-io/hanse/releases/download/v1.2.3/kubectl-hanse_1.2.3_windows_amd64.zip", "kubectl-hanse.exe"},
	} {
		got := krewPlatform("1.2.3", row.on, "abc")
		if got.URI != row.uri || got.Bin != row.bin || got.SHA256 != "abc" || got.Selector.MatchLabels["os"] != row.on.os || got.Selector.MatchLabels["arch"] != row.on.arch {
			t.Errorf("%s: %+v", row.on, got)
		}
	}
}

// TestBOM: every program is in it with what is linked into it, each module once, and the order of building does not show.
func TestBOM(t *testing.T) {
	a := builtProgram{"a", "1.26.8", platform{"linux", "amd64"}, []module{{"example.com/m", "v1.0.0"}}}
	b := builtProgram{"b", "1.26.8", platform{"linux", "amd64"}, []module{{"example.com/m", "v1.0.0"}, {"example.com/n", "v2.0.0"}}}
	var texts []string
	for _, programs := range [][]builtProgram{{a, b}, {b, a}} {
		bom := newBOM("1.2.3", noon, programs)
		text, err := json.Marshal(bom)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("the order shows:\n%s\n%s", texts[0], texts[1])
	}
	for _, want := range []string{"pkg:golang/example.com/n@v2.0.0", "pkg:golang/std@1.26.8", `"a/linux/amd64"`} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("%s is not in %s", want, texts[0])
		}
	}
	if n := strings.Count(texts[0], `"name":"example.com/m"`); n != 1 {
		t.Errorf("a module that two programs have is there %d times", n)
	}
}

// What helm packages has the time of the day in it; what is released has not.
func TestArchive(t *testing.T) {
	for _, name := range []string{"a.tgz", "a.tar", "a.zip"} {
		var sums []string
		for range 2 {
			file := filepath.Join(t.TempDir(), name)
			if err := archive(file, noon, []entry{{name: "x/y", mode: 0o644, text: []byte("z")}, {name: "x/z", mode: 0o777, link: "y"}}); err != nil {
				t.Fatal(err)
			}
			sum, err := fileSum(file)
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, sum)
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: two archives of the same differ", name)
		}
	}
}

func TestCommitTime(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	at, err := commitTime(context.Background(), t.TempDir())
	if err != nil || at.Unix() != 1700000000 {
		t.Errorf("%v, %v", at, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, err := commitTime(context.Background(), t.TempDir()); err == nil {
		t.Error("a word is no time")
	}
}
