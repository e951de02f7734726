package fabrictest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ErrNoFabric means that Fabric's own programs are not where they were looked for.
var ErrNoFabric = errors.New("no peer and orderer: set HANSE_FABRIC_BIN, or KUBEBUILDER_ASSETS, to a directory with Fabric's programs")

// BuildFor builds the parts of a test's network from the repository at root, and skips the test where Fabric's programs are not.
// The network's directory, with its logs, stays if the test fails.
func BuildFor(t testing.TB, root string) Options {
	t.Helper()
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	directory, err := os.MkdirTemp("", "hanse-fabric-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			os.RemoveAll(directory)
		}
	})
	o, err := Build(root, directory)
	if errors.Is(err, ErrNoFabric) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("logs are in %s", directory)
	return o
}

// Build finds Fabric's programs by the environment, and builds the notary contract and the ccaas builder from the repository at
// root into the directory, which is that of the network too.
func Build(root, directory string) (Options, error) {
	binaries := os.Getenv("HANSE_FABRIC_BIN")
	if binaries == "" {
		binaries = os.Getenv("KUBEBUILDER_ASSETS")
	}
	if _, err := os.Stat(filepath.Join(binaries, "peer")); err != nil {
		return Options{}, ErrNoFabric
	}
	o := Options{
		Binaries: binaries, Directory: directory,
		Builder: filepath.Join(directory, "builder"), Contract: filepath.Join(directory, "notary"),
	}
	module, err := Go(filepath.Join(root, "hack/parts/fabric"), "list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric")
	if err != nil {
		return o, err
	}
	o.FabricModule = strings.TrimSpace(module)
	if _, err := Go(filepath.Join(root, "contracts"), "build", "-o", o.Contract, "./cmd/notary"); err != nil {
		return o, err
	}
	program := filepath.Join(o.Builder, "bin", "ccaas-builder")
	if _, err := Go(filepath.Join(root, "hack/parts/ccaasbuilder"), "build", "-o", program, "."); err != nil {
		return o, err
	}
	for _, name := range []string{"detect", "build", "release"} {
		if err := os.Symlink("ccaas-builder", filepath.Join(o.Builder, "bin", name)); err != nil {
			return o, err
		}
	}
	return o, nil
}

// Go runs the go command in a directory, and returns what it writes. What it builds is static.
func Go(directory string, arguments ...string) (string, error) {
	command := exec.Command("go", arguments...)
	command.Dir = directory
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod -trimpath")
	output, err := command.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(arguments, " "), err, failed.Stderr)
	}
	return string(output), err
}
