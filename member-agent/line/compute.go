package line

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/ledger"
)

// Cluster is what Compute needs of the member's own cluster.
type Cluster struct {
	// Domain is the cluster's DNS domain. With it, addresses are absolute and cost one look-up; without it, they go by
	// the search list of the gateway's pod.
	Domain string
	// Namespace of the agent and the gateway; hanse-system when empty.
	Namespace string
	// Roots are the pinned roots by member; no other root is trusted, whatever plans say.
	Roots map[string]string
	// Own are the cluster's own networks, as CIDRs.
	Own []string
	// Planners of the ledgers that the agent knows, for the ports of their nodes.
	Planners ledger.Planners
	// Problems say which networks of the cluster are unknown.
	Problems []string
}

// AgentService is the Service by which the gateway reaches its own agent.
const AgentService = "member-agent"

// Compute computes a gateway's routes from the trusted plans of its member. records are verified by the caller; by
// consortium and member. A record is used for its own member's line ends only, and a plan for no names of a member but
// those of the member's own nodes.
func Compute(plans []v1alpha1.MemberPlan, records map[string]map[string]v1alpha1.Record, self string, in Cluster) routing.Routes {
	in.Namespace = cmp.Or(in.Namespace, "hanse-system")
	c := computation{
		cluster: in, records: records,
		routes: routing.Routes{Member: self, Local: map[string]string{}, Remote: map[string]string{}, Lines: []routing.Line{}, Roots: map[string]string{}, Own: in.Own},
		lines:  map[string]routing.Line{},
	}
	c.routes.Local[v1alpha1.AgentServerName(self)] = c.service(AgentService, in.Namespace, v1alpha1.PortGossip)
	sorted := slices.SortedFunc(slices.Values(plans), func(a, b v1alpha1.MemberPlan) int {
		return cmp.Compare(a.Spec.Consortium, b.Spec.Consortium)
	})
	for i := range sorted {
		if spec := &sorted[i].Spec; spec.Member == self {
			c.members(spec, in.Planners.Describe(&sorted[i]))
			c.ends(spec)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.lines)) {
		c.routes.Lines = append(c.routes.Lines, c.lines[name])
	}
	maps.Copy(c.routes.Roots, in.Roots)
	c.routes.Problems = append(c.routes.Problems, in.Problems...)
	slices.Sort(c.routes.Problems)
	c.routes.Problems = slices.Compact(c.routes.Problems)
	return c.routes
}

type computation struct {
	cluster Cluster
	records map[string]map[string]v1alpha1.Record
	routes  routing.Routes
	lines   map[string]routing.Line
}

func (c *computation) problem(format string, args ...any) {
	c.routes.Problems = append(c.routes.Problems, fmt.Sprintf(format, args...))
}

// members adds every member's nodes and agent.
func (c *computation) members(spec *v1alpha1.MemberPlanSpec, ledger ledger.Description) {
	for _, m := range spec.Members {
		if !v1alpha1.IsLabel(m.Name) {
			c.problem("consortium %s: %q cannot be a member's name; it is left out", spec.Consortium, m.Name)
			continue
		}
		if m.Name != c.routes.Member {
			c.routes.Remote[v1alpha1.AgentServerName(m.Name)] = m.Name
		}
		for _, n := range m.Nodes {
			port := ledger.Port(n.Role)
			if !v1alpha1.IsNodeOf(n.Name, n.Role, m.Name) || port == 0 {
				c.problem("consortium %s: node %q does not have the shape of a node of member %s; no route leads to it", spec.Consortium, n.Name, m.Name)
				continue
			}
			c.node(n, port, m.Name, spec.Consortium)
		}
	}
}

func (c *computation) node(n v1alpha1.PlanMemberNode, port int, member, consortium string) {
	host := v1alpha1.NodeHost(n.Name, consortium)
	if member != c.routes.Member {
		c.routes.Remote[host] = member
		return
	}
	// The port is that of the role, not the plan's: a plan cannot expose a node's admin port to the lines.
	c.routes.Local[host] = c.service(n.Name, v1alpha1.ConsortiumNamespace(consortium), port)
}

// ends adds the lines. A line that several plans name is one line; the first plan takes precedence.
func (c *computation) ends(spec *v1alpha1.MemberPlanSpec) {
	for _, l := range spec.Lines {
		if _, known := c.lines[l.Name]; known {
			continue
		}
		if !v1alpha1.IsLabel(l.Member) || l.Member == c.routes.Member {
			c.problem("line %s: it leads to %q, which is no other member; it is left out", l.Name, l.Member)
			continue
		}
		end := routing.Line{Name: l.Name, Member: l.Member, Address: l.Address, Port: l.Port, Priority: l.Priority}
		if own, ok := c.published(l.Name, l.Member); ok {
			if err := routing.CheckAddress(own.Address, own.Port, c.cluster.Domain); err != nil {
				c.problem("line %s: %s publishes an address that is not allowed: %v; the plan's own is used", l.Name, l.Member, err)
			} else {
				end.Address, end.Port = own.Address, own.Port
			}
		}
		if err := routing.CheckAddress(end.Address, end.Port, c.cluster.Domain); err != nil {
			end.Problem = err.Error()
		}
		c.lines[l.Name] = end
	}
}

// published is a member's end of a line in its newest record.
func (c *computation) published(line, member string) (found v1alpha1.RecordLine, ok bool) {
	newest := int64(-1)
	for _, consortium := range slices.Sorted(maps.Keys(c.records)) {
		record, known := c.records[consortium][member]
		if !known || record.Member != member || record.Consortium != consortium || record.Sequence <= newest {
			continue
		}
		for _, l := range record.Lines {
			if l.Name == line {
				found, ok, newest = l, true, record.Sequence
				break
			}
		}
	}
	return found, ok
}

func (c *computation) service(name, namespace string, port int) string {
	host := name + "." + namespace + ".svc"
	if c.cluster.Domain != "" {
		host += "." + strings.Trim(c.cluster.Domain, ".") + "."
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
