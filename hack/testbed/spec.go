package testbed

import (
	"path/filepath"

	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Spec says what a testbed consists of.
type Spec struct {
	// Name tells it from other testbeds of the machine.
	Name string
	// Dir takes the kubeconfigs.
	Dir string
	// Clusters are names of at most eight letters and digits.
	Clusters []string
	// Links between the clusters.
	Links []Link
	// Images are loaded into every cluster: archives, or names of images that testbed.yaml describes.
	Images []string
	// Allow are the ports that lines let through; none leaves the lines without use.
	Allow []Port
	// Programs is a directory with ready programs; what it lacks is built. May be empty.
	Programs string
}

// Link names one of the lines between two clusters, in either order.
type Link = topology.Link

// Line is a line that there is, with the addresses of its ends.
type Line = topology.Line

// Port is a TCP port of a line's end and the node port it leads to.
type Port = project.Port

// Star is the usual shape: a hub, members with one line each to it, and between every two members so many lines.
func Star(names project.Clusters, members, lines int) (clusters []string, links []Link) {
	clusters = []string{names.Hub}
	for i := 1; i <= members; i++ {
		clusters = append(clusters, names.Numbered(i))
	}
	for i := 1; i <= members; i++ {
		links = append(links, Link{A: names.Numbered(i), B: names.Hub})
		for j := i + 1; j <= members && lines > 0; j++ {
			links = append(links, Link{A: names.Numbered(i), B: names.Numbered(j), Index: lines})
		}
	}
	return clusters, links
}

// grow writes the spec into what is known of the testbed, which may be empty.
func (s Spec) grow(f *topology.Testbed, taken func(number int) bool) error {
	if f.Name == "" {
		dir, err := filepath.Abs(s.Dir)
		if err != nil {
			return err
		}
		f.Name, f.Dir = s.Name, dir
	}
	f.Allow = s.Allow
	return f.Grow(s.Clusters, s.Links, taken)
}
