//go:build fabric

package fabric_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// options finds the parts of a network, and builds the contract and the ccaas builder.
func options(t *testing.T) fabrictest.Options {
	t.Helper()
	binaries := os.Getenv("HANSE_FABRIC_BIN")
	if binaries == "" {
		binaries = os.Getenv("KUBEBUILDER_ASSETS")
	}
	if _, err := os.Stat(filepath.Join(binaries, "peer")); err != nil {
		t.Skip("set HANSE_FABRIC_BIN to a directory with Fabric's peer and orderer")
	}
	root, err := filepath.Abs("../..")
	must(t, err)
	directory, err := os.MkdirTemp("", "hanse-fabric-")
	must(t, err)
	t.Cleanup(func() {
		if !t.Failed() {
			os.RemoveAll(directory)
		}
	})
	t.Logf("logs are in %s", directory)
	o := fabrictest.Options{
		Binaries: binaries, Directory: directory,
		Builder: filepath.Join(directory, "builder"), Contract: filepath.Join(directory, "notary"),
	}
	o.FabricModule = strings.TrimSpace(goTool(t, filepath.Join(root, "hack/parts/fabric"), "list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric"))
	goTool(t, filepath.Join(root, "contracts"), "build", "-o", o.Contract, "./cmd/notary")
	program := filepath.Join(o.Builder, "bin", "ccaas-builder")
	goTool(t, filepath.Join(root, "hack/parts/ccaasbuilder"), "build", "-o", program, ".")
	for _, name := range []string{"detect", "build", "release"} {
		must(t, os.Symlink("ccaas-builder", filepath.Join(o.Builder, "bin", name)))
	}
	return o
}

func goTool(t *testing.T, directory string, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = directory
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(arguments, " "), err)
	}
	return string(output)
}

// eventually tries again until something works that waits for blocks or gossip to travel.
func eventually(t *testing.T, ctx context.Context, what string, do func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for said := ""; ; {
		err := do()
		if err == nil {
			return
		}
		if said != err.Error() {
			said = err.Error()
			t.Logf("%s: %s", what, said)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func stopwatch(t *testing.T) func(what string) {
	last := time.Now()
	return func(what string) {
		t.Logf("%6.2fs %s", time.Since(last).Seconds(), what)
		last = time.Now()
	}
}

func gzipped(t *testing.T, block []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(block)
	must(t, err)
	must(t, w.Close())
	return packed.Bytes()
}
