package project

import (
	"errors"
	"fmt"
	"slices"
)

// Part is a program that is built from a Go module of the clone, and kept in the cache for as long as nothing changes that
// goes into it.
type Part struct {
	Name string `json:"name"`
	// Go is the module's folder, relative to the clone.
	Go string `json:"go"`
	// Package to build, "." if nothing is said.
	Package string `json:"package,omitempty"`
	// Version names the module that Go requires and whose version is the part's; none for a program of the clone's own.
	Version string `json:"version,omitempty"`
	// LDFlags go to the linker. In them, {version} is that version, {major} and {minor} are its first two numbers, and
	// {commit} is the commit of a pseudo-version.
	LDFlags string `json:"ldflags,omitempty"`
	// Tags are build tags, separated by commas.
	Tags string `json:"tags,omitempty"`
	// Programs are names under which the program can be called besides its own, as symbolic links beside it.
	Programs []string `json:"programs,omitempty"`
}

// Has says whether a name is the part's or a program's inside it.
func (p Part) Has(name string) bool { return p.Name == name || slices.Contains(p.Programs, name) }

// Manifests are what has to be applied to a cluster for it to have something.
type Manifests struct {
	Name string `json:"name"`
	// Files make one YAML stream, in this order.
	Files []ManifestFiles `json:"files"`
}

// ManifestFiles are files of the clone, or of a Go module that a module of the clone requires.
type ManifestFiles struct {
	// Go is the folder of the clone's module, and Module the path of the module that has the files; empty for the clone's own.
	Go     string `json:"go,omitempty"`
	Module string `json:"module,omitempty"`
	// Pattern of the files' paths, relative to that module, or to the clone.
	Pattern string `json:"pattern"`
}

func validateParts(parts []Part) error {
	seen := map[string]bool{}
	for _, p := range parts {
		for _, name := range append([]string{p.Name}, p.Programs...) {
			if name == "" || seen[name] {
				return fmt.Errorf("parts: the name %q is empty or taken", name)
			}
			seen[name] = true
		}
		if p.Go == "" {
			return fmt.Errorf("parts: %s: go is missing: it names the module's folder", p.Name)
		}
	}
	return nil
}

func validateManifests(all []Manifests) error {
	for _, m := range all {
		if m.Name == "" || len(m.Files) == 0 {
			return errors.New("manifests: each needs a name and files")
		}
		for _, f := range m.Files {
			if f.Pattern == "" || (f.Go == "") != (f.Module == "") {
				return fmt.Errorf("manifests: %s: files need a pattern, and both go and module or neither", m.Name)
			}
		}
	}
	return nil
}
