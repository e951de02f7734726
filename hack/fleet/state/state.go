package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hanse-io/hanse/hack/fleet/topology"
)

// Root is where all fleets of the machine keep their data.
const Root = "/var/lib/hanse-fleet"

const file = "fleet.json"

// Dir is where a fleet keeps its data.
func Dir(fleet string) string { return filepath.Join(Root, fleet) }

// ClusterDir is where a cluster keeps its data.
func ClusterDir(fleet, cluster string) string { return filepath.Join(Dir(fleet), cluster) }

// ErrNone says that there is no such fleet.
var ErrNone = errors.New("there is no such fleet on this machine; `fleet up` makes one")

// Load reads what a fleet consists of.
func Load(fleet string) (*topology.Fleet, error) {
	content, err := os.ReadFile(filepath.Join(Dir(fleet), file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("fleet %s: %w", fleet, ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("fleet %s: %w", fleet, err)
	}
	var f topology.Fleet
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, fmt.Errorf("fleet %s: its state file is damaged, `fleet down --name %s` clears it away: %w", fleet, fleet, err)
	}
	return &f, nil
}

// Save writes what a fleet consists of.
func Save(f *topology.Fleet) error {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	target := filepath.Join(Dir(f.Name), file)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("fleet %s: %w", f.Name, err)
	}
	if err := os.WriteFile(target+".new", content, 0o644); err != nil {
		return fmt.Errorf("fleet %s: %w", f.Name, err)
	}
	return os.Rename(target+".new", target)
}

// All reads all fleets of the machine, without those whose file cannot be read.
func All() []*topology.Fleet {
	entries, err := os.ReadDir(Root)
	if err != nil {
		return nil
	}
	var fleets []*topology.Fleet
	for _, e := range entries {
		if f, err := Load(e.Name()); err == nil {
			fleets = append(fleets, f)
		}
	}
	return fleets
}

// Taken tells which management numbers the fleets of this machine have been given.
func Taken() func(number int) bool {
	taken := map[int]bool{}
	for _, f := range All() {
		for _, c := range f.Clusters {
			taken[c.Management] = true
		}
	}
	return func(number int) bool { return taken[number] }
}
