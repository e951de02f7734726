package charts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestCharts holds that no kind of a template and no CRD is missed.
func TestCharts(t *testing.T) {
	anyKind := regexp.MustCompile(`(?m)^kind: *(\S+)`)
	for chart, crds := range map[string]int{Federation: 8, MemberAgent: 2} {
		kinds, err := Kinds(chart)
		if err != nil {
			t.Fatal(err)
		}
		templates, err := filepath.Glob(chart + "/templates/*")
		if err != nil || len(templates) == 0 {
			t.Fatalf("%s has no templates: %v", chart, err)
		}
		for _, template := range templates {
			text, err := os.ReadFile(template)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range anyKind.FindAllStringSubmatch(string(text), -1) {
				if !slices.ContainsFunc(kinds, func(k schema.GroupVersionKind) bool { return k.Kind == found[1] }) {
					t.Errorf("%s makes a %s, which is not among %v", template, found[1], kinds)
				}
			}
		}
		if found, err := CRDs(chart); err != nil || len(found) != crds {
			t.Errorf("%s has %d CRDs, want %d: %v", chart, len(found), crds, err)
		}
		if read, err := Read(chart); err != nil || read.KubeVersion == "" || read.AppVersion == "" {
			t.Errorf("%s: %+v, %v", chart, read, err)
		}
	}
}
