package topology

import (
	"slices"
	"strings"
	"testing"
)

func free(int) bool { return false }

func grown(t *testing.T, members, lines int) *Testbed {
	t.Helper()
	f := &Testbed{Name: "hanse"}
	if err := f.Grow(members, lines, free); err != nil {
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
		why            string
		members, lines int
		want           string
	}{
		{"the host alone needs no line", 0, 1, ""},
		{"every member has a line to the host", 1, 1, "org1-host"},
		{"and one to every other", 3, 1, "org1-host org1-org2 org1-org3 org2-host org2-org3 org3-host"},
		{"two lines are between members, never to the host", 2, 2, "org1-host org1-org2 org1-org2-2 org2-host"},
		{"without lines there are those to the host", 2, 0, "org1-host org2-host"},
	}
	for _, tt := range tests {
		if got := lineNames(grown(t, tt.members, tt.lines)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.why, got, tt.want)
		}
	}
}

func TestGrowKeepsWhatIsThere(t *testing.T) {
	f := grown(t, 2, 1)
	before := slices.Clone(f.Lines)
	clusters := slices.Clone(f.Clusters)
	if err := f.Grow(3, 1, free); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Lines[:len(before)], before) || !slices.Equal(f.Clusters[:len(clusters)], clusters) {
		t.Errorf("growing changed what was there: %v, %v", f.Clusters, f.Lines)
	}
	if err := f.Grow(1, 1, free); err != nil || len(f.Clusters) != 4 {
		t.Errorf("asking for less took something away: %v, %v", f.Clusters, err)
	}
}

func TestGrowAvoidsWhatIsTaken(t *testing.T) {
	f := &Testbed{Name: "two"}
	if err := f.Grow(1, 1, func(n int) bool { return n < 4 }); err != nil {
		t.Fatal(err)
	}
	if f.Clusters[0].Management != 4 || f.Clusters[1].Management != 5 {
		t.Errorf("management addresses collide with another testbed's: %v", f.Clusters)
	}
}

func TestAddressesOfALine(t *testing.T) {
	f := grown(t, 2, 2)
	l, err := f.Line("org2", "org1", 2)
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
	if _, err := f.Line("org1", "org2", 3); err == nil {
		t.Error("found a third line of two")
	}
}

// An interface's name has at most 15 bytes.
func TestNamesFit(t *testing.T) {
	line := Line{A: Org(98), B: Org(99), Index: 9}
	cluster := Cluster{Management: Blocks - 1}
	for _, name := range []string{line.Interface(line.A), cluster.ManagementInterface()} {
		if len(name) > 15 {
			t.Errorf("%s is too long for an interface", name)
		}
	}
}
