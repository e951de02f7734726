// Package charts holds the charts' files for programs that compare a cluster with them: which objects a chart makes, and its
// CRDs. It must not know what is compared.
package charts

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

//go:embed federation/Chart.yaml federation/crds federation/templates/*.yaml
//go:embed member-agent/Chart.yaml member-agent/crds member-agent/templates/*.yaml
var files embed.FS

// Names of the charts.
const (
	Federation  = "federation"
	MemberAgent = "member-agent"
)

// Chart is what Chart.yaml says.
type Chart struct {
	AppVersion  string `json:"appVersion"`
	KubeVersion string `json:"kubeVersion"`
}

// Read is a chart's description.
func Read(chart string) (Chart, error) {
	var read Chart
	text, err := files.ReadFile(path.Join(chart, "Chart.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &read)
	}
	return read, err
}

var kind = regexp.MustCompile(`(?m)^apiVersion: *(\S+)\nkind: *(\S+)`)

// Kinds are those of the objects that a chart's templates make, whatever its values, sorted.
func Kinds(chart string) ([]schema.GroupVersionKind, error) {
	names, err := fs.Glob(files, chart+"/templates/*.yaml")
	if err != nil {
		return nil, err
	}
	var kinds []schema.GroupVersionKind
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, found := range kind.FindAllStringSubmatch(string(text), -1) {
			if gvk := schema.FromAPIVersionAndKind(found[1], found[2]); !slices.Contains(kinds, gvk) {
				kinds = append(kinds, gvk)
			}
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
	return kinds, nil
}

var parsed = sync.OnceValues(func() (map[string]map[string]any, error) {
	names, err := fs.Glob(files, "*/crds/*.yaml")
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]any{}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		crd := map[string]any{}
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = crd
	}
	return all, nil
})

// CRDs are a chart's CustomResourceDefinitions by name, as they are in its files. They are shared: do not change them.
func CRDs(chart string) (map[string]map[string]any, error) {
	all, err := parsed()
	if err != nil {
		return nil, err
	}
	crds := map[string]map[string]any{}
	for file, crd := range all {
		if metadata, ok := crd["metadata"].(map[string]any); ok && strings.HasPrefix(file, chart+"/") {
			if name, ok := metadata["name"].(string); ok {
				crds[name] = crd
			}
		}
	}
	return crds, nil
}
