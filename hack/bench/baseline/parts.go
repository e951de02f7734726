package baseline

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hanse-io/hanse/hack/harness"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// Parts puts the programs of a network into a directory.
func Parts(ctx context.Context, s *harness.Harness, dir string) (fabrictest.Options, error) {
	o := fabrictest.Options{
		Binaries: filepath.Join(dir, "bin"), Builder: filepath.Join(dir, "builder"), Contract: filepath.Join(dir, "notary"),
	}
	links := map[string]string{}
	for _, name := range []string{"peer", "orderer"} {
		links[filepath.Join(o.Binaries, name)] = name
	}
	for _, name := range []string{"detect", "build", "release"} {
		links[filepath.Join(o.Builder, "bin", name)] = "ccaas-builder"
	}
	for link, part := range links {
		path, err := s.Part(part)
		if err != nil {
			return o, err
		}
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return o, err
		}
		if err := os.Symlink(strings.TrimSpace(path), link); err != nil {
			return o, err
		}
	}
	sample, err := s.Sampleconfig(ctx)
	if err != nil {
		return o, err
	}
	o.FabricModule = filepath.Dir(sample)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", o.Contract, "./cmd/notary")
	build.Dir, build.Env = filepath.Join(s.Root, "contracts"), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return o, fmt.Errorf("build the notary contract: %w: %s", err, out)
	}
	return o, nil
}
