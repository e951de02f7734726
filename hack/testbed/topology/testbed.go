package topology

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// Host is the name of the cluster where consortia are declared. The others are org1, org2, ….
const Host = "host"

// Testbed is everything that a testbed consists of; it is also what the state file holds.
type Testbed struct {
	Name     string    `json:"name"`
	Dir      string    `json:"dir"` // where the kubeconfigs are written, absolute
	Clusters []Cluster `json:"clusters"`
	Lines    []Line    `json:"lines"`
	// Allow are the ports that lines let through, beside the host's API.
	Allow []project.Port `json:"allow"`
}

// Cluster is one organization's cluster (or the host's) with a LAN of its own.
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

// Org names the organization with the given number, from 1.
func Org(number int) string { return "org" + strconv.Itoa(number) }

var orgName = regexp.MustCompile(`^org[1-9][0-9]?$`)

// IsCluster says whether a name is one that a testbed gives to a cluster.
func IsCluster(name string) bool { return name == Host || orgName.MatchString(name) }

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

// Grow makes sure that the testbed has the host, members organizations, a line from each to the host, and lines
// lines between every two of them. It never takes anything away. Management numbers that taken reports as used
// elsewhere on the machine are left alone.
func (f *Testbed) Grow(members, lines int, taken func(number int) bool) error {
	if members < 0 || members > 99 {
		return fmt.Errorf("%d members: a testbed has from 0 to 99", members)
	}
	if err := f.addCluster(Host, taken); err != nil {
		return err
	}
	for i := 1; i <= members; i++ {
		if err := f.addCluster(Org(i), taken); err != nil {
			return err
		}
	}
	for i := 1; i <= members; i++ {
		if err := f.ensureLines(Org(i), Host, 1); err != nil {
			return err
		}
		for j := i + 1; j <= members; j++ {
			if err := f.ensureLines(Org(i), Org(j), lines); err != nil {
				return err
			}
		}
	}
	return nil
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
