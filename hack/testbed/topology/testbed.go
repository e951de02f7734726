package topology

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// Testbed is everything that a testbed consists of; it is also what the state file holds.
type Testbed struct {
	Name     string    `json:"name"`
	Dir      string    `json:"dir"` // where the kubeconfigs are written, absolute
	Clusters []Cluster `json:"clusters"`
	Lines    []Line    `json:"lines"`
	// Allow are the ports that lines let through.
	Allow []project.Port `json:"allow"`
}

// Cluster is one cluster with a LAN of its own.
type Cluster struct {
	Name string `json:"name"`
	// Management numbers the /30 over which this machine reaches the cluster's kube-apiserver.
	Management int `json:"management"`
}

// Line is a dedicated line between the borders of two clusters.
type Line struct {
	A     string `json:"a"`
	B     string `json:"b"`
	Index int    `json:"index"` // 1 for the first line between the two, 2 for the second, …
	Block int    `json:"block"` // numbers the line's /30; A has its first address
}

var testbedName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`)

// ValidateName says whether a testbed can have this name; namespaces, cgroups and directories are named after it.
func ValidateName(name string) error {
	if !testbedName.MatchString(name) {
		return fmt.Errorf("testbed name %q: use at most 20 lower-case letters, digits and hyphens, a letter first", name)
	}
	return nil
}

// Link names one of the lines between two clusters, in either order.
type Link struct {
	A, B string
	// Index tells several lines between the same two apart: 1 for the first, as is 0, 2 for the second, ….
	Index int
}

func (l Link) index() int { return max(1, l.Index) }

// An interface is named after the cluster at the other end of its line, and such names have at most 15 bytes.
var clusterName = regexp.MustCompile(`^[a-z][a-z0-9]{0,7}$`)

// ValidateCluster says whether a cluster can have this name.
func ValidateCluster(name string) error {
	if !clusterName.MatchString(name) {
		return fmt.Errorf("cluster name %q: use at most 8 lower-case letters and digits, a letter first", name)
	}
	return nil
}

// Cluster finds a cluster by its name.
func (f *Testbed) Cluster(name string) (Cluster, error) {
	for _, c := range f.Clusters {
		if c.Name == name {
			return c, nil
		}
	}
	return Cluster{}, fmt.Errorf("testbed %s has no cluster %q, it has %s", f.Name, name, strings.Join(f.ClusterNames(), ", "))
}

// ClusterNames lists the clusters in order.
func (f *Testbed) ClusterNames() []string {
	names := make([]string, 0, len(f.Clusters))
	for _, c := range f.Clusters {
		names = append(names, c.Name)
	}
	return names
}

// Grow makes sure that the testbed has the clusters and the links. It never takes anything away. Management numbers that
// taken reports as used elsewhere on the machine are left alone.
func (f *Testbed) Grow(clusters []string, links []Link, taken func(number int) bool) error {
	for _, name := range clusters {
		if err := ValidateCluster(name); err != nil {
			return err
		}
		if err := f.addCluster(name, taken); err != nil {
			return err
		}
	}
	for _, l := range links {
		if err := f.ensureLines(l.A, l.B, l.index()); err != nil {
			return err
		}
	}
	return nil
}

// ExposesAPI says whether a cluster's kube-apiserver is reached over the cluster's lines.
func (f *Testbed) ExposesAPI(cluster string) bool {
	return slices.ContainsFunc(f.AllowedAt(cluster), func(p project.Port) bool { return p.NodePort == APIPort })
}

// AllowedAt are the ports at which lines lead into the cluster.
func (f *Testbed) AllowedAt(cluster string) []project.Port {
	var ports []project.Port
	for _, p := range f.Allow {
		if len(p.Clusters) == 0 || slices.Contains(p.Clusters, cluster) {
			ports = append(ports, p)
		}
	}
	return ports
}

func (f *Testbed) addCluster(name string, taken func(int) bool) error {
	if _, err := f.Cluster(name); err == nil {
		return nil
	}
	for number := 0; number < Blocks; number++ {
		if !f.manages(number) && !taken(number) {
			f.Clusters = append(f.Clusters, Cluster{Name: name, Management: number})
			return nil
		}
	}
	return fmt.Errorf("no address pair is free in %s", ManagementCIDR)
}

func (f *Testbed) manages(number int) bool {
	for _, c := range f.Clusters {
		if c.Management == number {
			return true
		}
	}
	return false
}
