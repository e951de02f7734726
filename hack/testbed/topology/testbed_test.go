package topology

import (
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

func free(int) bool { return false }

// three is a testbed of three clusters, all joined.
func three(t *testing.T) *Testbed {
	t.Helper()
	f := &Testbed{Name: "trade"}
	if err := f.Grow([]string{"hub", "org1", "org2"}, []Link{{A: "org1", B: "hub"}, {A: "org1", B: "org2"}}, free); err != nil {
		t.Fatal(err)
	}
	return f
}

func lineNames(f *Testbed) string {
	var names []string
	for _, l := range f.Lines {
		names = append(names, l.Name())
	}
	return strings.Join(names, " ")
}

func TestGrow(t *testing.T) {
	tests := []struct {
		why, clusters string
		links         []Link
		want          string
		ok            bool
	}{
		{"a cluster alone needs no line", "hub", nil, "", true},
		{"lines are made in the order of the links", "hub org1 org2", []Link{{A: "org1", B: "hub"}, {A: "org1", B: "org2"}}, "org1-hub org1-org2", true},
		{"the second of two lines comes with the first", "org1 org2", []Link{{A: "org1", B: "org2", Index: 2}}, "org1-org2 org1-org2-2", true},
		{"a line has no direction", "org1 org2", []Link{{A: "org1", B: "org2"}, {A: "org2", B: "org1"}}, "org1-org2", true},
		{"a line to nowhere", "org1", []Link{{A: "org1", B: "org2"}}, "", false},
		{"a line to itself", "org1", []Link{{A: "org1", B: "org1"}}, "", false},
		{"more lines than fit", "org1 org2", []Link{{A: "org1", B: "org2", Index: 10}}, "", false},
		{"a name that fits no interface", "organization", nil, "", false},
	}
	for _, tt := range tests {
		f := &Testbed{Name: "trade"}
		err := f.Grow(strings.Fields(tt.clusters), tt.links, free)
		if (err == nil) != tt.ok || tt.ok && lineNames(f) != tt.want {
			t.Errorf("%s: got %q %v, want %q", tt.why, lineNames(f), err, tt.want)
		}
	}
}

func TestGrowKeepsWhatIsThere(t *testing.T) {
	f := three(t)
	before := slices.Clone(f.Lines)
	clusters := slices.Clone(f.Clusters)
	if err := f.Grow([]string{"org1", "org3"}, []Link{{A: "org1", B: "org3"}}, free); err != nil {
		t.Fatal(err)
	}
	if len(f.Clusters) != 4 || len(f.Lines) != 3 {
		t.Errorf("%v, %v", f.Clusters, f.Lines)
	}
	if !slices.Equal(f.Lines[:len(before)], before) || !slices.Equal(f.Clusters[:len(clusters)], clusters) {
		t.Errorf("growing changed what was there: %v, %v", f.Clusters, f.Lines)
	}
}

func TestGrowAvoidsWhatIsTaken(t *testing.T) {
	f := &Testbed{Name: "two"}
	if err := f.Grow([]string{"org1", "org2"}, nil, func(n int) bool { return n < 4 }); err != nil {
		t.Fatal(err)
	}
	if f.Clusters[0].Management != 4 || f.Clusters[1].Management != 5 {
		t.Errorf("management addresses collide with another testbed's: %v", f.Clusters)
	}
}

func TestAllowed(t *testing.T) {
	f := &Testbed{Allow: []project.Port{{Port: 7443, NodePort: 30443}, {Port: 6443, NodePort: APIPort, Clusters: []string{"hub"}}}}
	tests := []struct {
		why, cluster string
		ports        int
		api          bool
	}{
		{"a cluster that a port is for", "hub", 2, true},
		{"one that only has what all have", "org1", 1, false},
	}
	for _, tt := range tests {
		if got := f.AllowedAt(tt.cluster); len(got) != tt.ports || f.ExposesAPI(tt.cluster) != tt.api {
			t.Errorf("%s: %v, API %v", tt.why, got, f.ExposesAPI(tt.cluster))
		}
	}
}

func TestAddressesOfALine(t *testing.T) {
	f := three(t)
	if _, err := f.AddLine("org1", "org2"); err != nil {
		t.Fatal(err)
	}
	l, err := f.Line(Link{A: "org2", B: "org1", Index: 2})
	if err != nil {
		t.Fatal(err)
	}
	a, b := l.Address("org1").String(), l.Address("org2").String()
	if a != "10.200.0.9" || b != "10.200.0.10" {
		t.Errorf("ends of %s: %s, %s", l.Name(), a, b)
	}
	if l.Interface("org1") != "line-org2-2" || l.Interface("org2") != "line-org1-2" {
		t.Errorf("interfaces of %s: %s, %s", l.Name(), l.Interface("org1"), l.Interface("org2"))
	}
	if _, err := f.Line(Link{A: "org1", B: "org2", Index: 3}); err == nil {
		t.Error("found a third line of two")
	}
}

// An interface's name has at most 15 bytes.
func TestNamesFit(t *testing.T) {
	line := Line{A: "customer", B: "supplier", Index: 9}
	cluster := Cluster{Management: Blocks - 1}
	for _, name := range []string{line.Interface(line.A), cluster.ManagementInterface()} {
		if len(name) > 15 {
			t.Errorf("%s is too long for an interface", name)
		}
	}
}
