package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Names of the limits, as the chart's policy.limits has them.
const (
	LimitConsortia      = "consortia"
	LimitPlanBytes      = "planBytes"
	LimitTotalPlanBytes = "totalPlanBytes"
	LimitNodes          = "nodes"
	LimitContracts      = "contracts"
	LimitStorage        = "storage"
	LimitPodCPU         = "podCPU"
	LimitPodMemory      = "podMemory"
)

// Limits are the most that the plans of a host may ask of the organization's cluster, by the names above: how many
// consortia, nodes and contracts there are, how many bytes a plan has and all plans together, how many bytes of volumes
// the nodes have together, and how many cores and bytes of memory one node or contract may request or be limited to.
type Limits map[string]resource.Quantity

// DefaultLimits are what holds where the organization says nothing else. The chart has the same.
func DefaultLimits() Limits {
	return Limits{
		LimitConsortia: resource.MustParse("128"), LimitNodes: resource.MustParse("512"), LimitContracts: resource.MustParse("1024"),
		LimitPlanBytes: resource.MustParse("1Mi"), LimitTotalPlanBytes: resource.MustParse("32Mi"),
		LimitStorage: resource.MustParse("10Ti"), LimitPodCPU: resource.MustParse("32"), LimitPodMemory: resource.MustParse("128Gi"),
	}
}

// Usage is what one plan asks for.
type Usage struct {
	// Bytes of the plan's specification, as JSON.
	Bytes int64
	// Nodes and Contracts that are to run.
	Nodes, Contracts int64
	// Storage in bytes, of all nodes.
	Storage int64
	// PodMilliCPU and PodMemory (bytes) are the largest request or limit of any node or contract.
	PodMilliCPU, PodMemory int64
}

// ParseLimits reads limits as name=quantity pairs, on top of the defaults.
func ParseLimits(set map[string]string) (Limits, error) {
	limits := DefaultLimits()
	for name, text := range set {
		if _, known := limits[name]; !known {
			return nil, fmt.Errorf("there is no limit %q: use one of %s", name, strings.Join(slices.Sorted(maps.Keys(limits)), ", "))
		}
		quantity, err := resource.ParseQuantity(text)
		if err != nil || quantity.Sign() <= 0 {
			return nil, fmt.Errorf("%s=%.64q is no limit: use a number greater than 0, such as 64, 512Ki or 2Ti", name, text)
		}
		limits[name] = quantity
	}
	return limits, nil
}

// Exceeded names the limit that a plan would exceed, beside the other plans that there are, and says by how much; empty
// when there is none. before is what the plan asked for until now, nil for a new one: a plan that is beyond a limit already,
// which was lower once, may change as long as it does not ask for more.
func (l Limits) Exceeded(next Usage, before *Usage, others []Usage) (limit, why string) {
	total := Usage{}
	for _, o := range others {
		total.Bytes += o.Bytes
		total.Nodes += o.Nodes
		total.Contracts += o.Contracts
		total.Storage += o.Storage
	}
	old := Usage{}
	if before != nil {
		old = *before
	}
	consortia := int64(len(others))
	if before == nil && consortia+1 > l.value(LimitConsortia) {
		return LimitConsortia, l.say(LimitConsortia, consortia+1, "consortia")
	}
	for _, d := range []struct {
		limit, what             string
		next, before, otherwise int64
	}{
		{LimitPlanBytes, "bytes in the plan", next.Bytes, old.Bytes, 0},
		{LimitTotalPlanBytes, "bytes in all plans", next.Bytes, old.Bytes, total.Bytes},
		{LimitNodes, "nodes", next.Nodes, old.Nodes, total.Nodes},
		{LimitContracts, "contracts", next.Contracts, old.Contracts, total.Contracts},
		{LimitStorage, "bytes of volumes", next.Storage, old.Storage, total.Storage},
		{LimitPodCPU, "thousandths of a core for one node or contract", next.PodMilliCPU, old.PodMilliCPU, 0},
		{LimitPodMemory, "bytes of memory for one node or contract", next.PodMemory, old.PodMemory, 0},
	} {
		if d.next > d.before && d.otherwise+d.next > l.value(d.limit) {
			return d.limit, l.say(d.limit, d.otherwise+d.next, d.what)
		}
	}
	return "", ""
}

// value of a limit in the unit of its Usage.
func (l Limits) value(name string) int64 {
	quantity := l[name]
	if name == LimitPodCPU {
		return quantity.MilliValue()
	}
	return quantity.Value()
}

func (l Limits) say(name string, asked int64, what string) string {
	quantity := l[name]
	return fmt.Sprintf("it would make %d %s, and this organization allows %s: raise policy.limits.%s of the member-agent chart if that is wanted, or ask the host's operators for less",
		asked, what, quantity.String(), name)
}
