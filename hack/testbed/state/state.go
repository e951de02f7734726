package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Root is where all testbeds of the machine keep their data.
const Root = "/var/lib/testbed"

const file = "testbed.json"

// Dir is where a testbed keeps its data.
func Dir(testbed string) string { return filepath.Join(Root, testbed) }

// ClusterDir is where a cluster keeps its data.
func ClusterDir(testbed, cluster string) string { return filepath.Join(Dir(testbed), cluster) }

// ErrNone says that there is no such testbed.
var ErrNone = errors.New("there is no such testbed on this machine; `testbed up` makes one")

// Load reads what a testbed consists of.
func Load(testbed string) (*topology.Testbed, error) {
	content, err := os.ReadFile(filepath.Join(Dir(testbed), file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("testbed %s: %w", testbed, ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("testbed %s: %w", testbed, err)
	}
	var f topology.Testbed
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, fmt.Errorf("testbed %s: its state file is damaged, `testbed down --name %s` clears it away: %w", testbed, testbed, err)
	}
	return &f, nil
}

// Save writes what a testbed consists of.
func Save(f *topology.Testbed) error {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	target := filepath.Join(Dir(f.Name), file)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("testbed %s: %w", f.Name, err)
	}
	if err := os.WriteFile(target+".new", content, 0o644); err != nil {
		return fmt.Errorf("testbed %s: %w", f.Name, err)
	}
	return os.Rename(target+".new", target)
}

// All reads all testbeds of the machine, without those whose file cannot be read.
func All() []*topology.Testbed {
	entries, err := os.ReadDir(Root)
	if err != nil {
		return nil
	}
	var testbeds []*topology.Testbed
	for _, e := range entries {
		if f, err := Load(e.Name()); err == nil {
			testbeds = append(testbeds, f)
		}
	}
	return testbeds
}

// Taken tells which management numbers the testbeds of this machine have been given.
func Taken() func(number int) bool {
	taken := map[int]bool{}
	for _, f := range All() {
		for _, c := range f.Clusters {
			taken[c.Management] = true
		}
	}
	return func(number int) bool { return taken[number] }
}
