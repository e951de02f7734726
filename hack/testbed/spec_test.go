package testbed

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func free(int) bool { return false }

func TestStar(t *testing.T) {
	tests := []struct {
		why             string
		members, lines  int
		clusters, links string
	}{
		{"the hub alone needs no line", 0, 1, "hub", ""},
		{"every member has a line to the hub", 1, 1, "hub org1", "org1-hub"},
		{"and one to every other", 3, 1, "hub org1 org2 org3", "org1-hub org1-org2 org1-org3 org2-hub org2-org3 org3-hub"},
		{"two lines are between members, never to the hub", 2, 2, "hub org1 org2", "org1-hub org1-org2 org1-org2-2 org2-hub"},
		{"without lines there are those to the hub", 2, 0, "hub org1 org2", "org1-hub org2-hub"},
	}
	for _, tt := range tests {
		clusters, links := Star(project.Clusters{Hub: "hub", Member: "org"}, tt.members, tt.lines)
		f := &topology.Testbed{}
		err := Spec{Name: "trade", Dir: "/d", Clusters: clusters, Links: links}.grow(f, free)
		var lines []string
		for _, l := range f.Lines {
			lines = append(lines, l.Name())
		}
		if got := strings.Join(lines, " "); err != nil || got != tt.links || strings.Join(f.ClusterNames(), " ") != tt.clusters {
			t.Errorf("%s: %v %q %v", tt.why, f.ClusterNames(), got, err)
		}
	}
}

func TestGrow(t *testing.T) {
	f := &topology.Testbed{}
	spec := Spec{Name: "trade", Dir: "/first", Clusters: []string{"hub"}, Allow: []Port{{Port: 1, NodePort: 2}}}
	if err := spec.grow(f, free); err != nil {
		t.Fatal(err)
	}
	spec.Dir, spec.Clusters, spec.Allow = "/second", []string{"org1"}, []Port{{Port: 3, NodePort: 4}}
	if err := spec.grow(f, free); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why string
		ok  bool
	}{
		{"kubeconfigs stay where they are", f.Dir == "/first"},
		{"clusters are added", slices.Equal(f.ClusterNames(), []string{"hub", "org1"})},
		{"ports are those of the last spec", fmt.Sprint(f.Allow) == "[{3 4 []}]"},
	} {
		if !row.ok {
			t.Errorf("%s: %+v", row.why, f)
		}
	}
}
