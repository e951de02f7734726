//go:build fabric

package fabric_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// options finds and builds the parts of a network.
func options(t *testing.T) fabrictest.Options {
	t.Helper()
	root, err := filepath.Abs("../..")
	must(t, err)
	directory, err := os.MkdirTemp("", "hanse-fabric-")
	must(t, err)
	t.Cleanup(func() {
		if !t.Failed() {
			os.RemoveAll(directory)
		}
	})
	o, err := fabrictest.Build(root, directory)
	if errors.Is(err, fabrictest.ErrNoFabric) {
		t.Skip(err)
	}
	must(t, err)
	t.Logf("logs are in %s", directory)
	return o
}
