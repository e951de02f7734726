package hanse

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// alignedModules are built from much the same packages: Kubernetes' and what these are made of. A package is compiled once for
// all of them only where it, and everything below it, has the same version.
var alignedModules = []string{
	".", "hack/testbed", "hack/tools", "hack/gitops", "hack/release", "hack/parts/kubernetes", "hack/parts/certmanager", "hack/parts/coredns",
	"hack/parts/helm", "hack/parts/localprovisioner", "hack/parts/networkpolicy",
}

// unaligned are the modules whose versions differ all the same, with the reason.
var unaligned = map[string]string{
	"github.com/google/cel-go": "Kubernetes keeps the version that it was released with, since it decides what API servers admit",
}

var required = regexp.MustCompile(`(?m)^(?:require )?\t?(\S+) (v\S+)(?: // indirect)?$`)

func TestModulesAgreeOnVersions(t *testing.T) {
	versions := map[string]map[string][]string{} // by module and version: who requires it
	for _, directory := range alignedModules {
		text, _, _ := strings.Cut(read(t, filepath.Join(directory, "go.mod")), "\nreplace ")
		found := required.FindAllStringSubmatch(text, -1)
		if len(found) < 5 {
			t.Errorf("%s/go.mod: %d requirements: the pattern does not fit any more", directory, len(found))
		}
		for _, r := range found {
			if versions[r[1]] == nil {
				versions[r[1]] = map[string][]string{}
			}
			versions[r[1]][r[2]] = append(versions[r[1]][r[2]], directory)
		}
	}
	for _, module := range slices.Sorted(maps.Keys(versions)) {
		if len(versions[module]) > 1 && unaligned[module] == "" {
			t.Errorf("%s: %v: packages that use it are compiled once for each version: go get the highest in the other modules, and go mod tidy there (-e in hack/parts/kubernetes)",
				module, versions[module])
		}
		if len(versions[module]) < 2 && unaligned[module] != "" {
			t.Errorf("%s has one version: take it off the list of exceptions", module)
		}
	}
}
