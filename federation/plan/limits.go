package plan

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Size limits of a plan's parts, in bytes of JSON. Together with the digests of statements, the nodes and the lines they stay
// below MaxPlanBytes, whatever the agents report.
const (
	// declaredBudget is for channels and contracts: 256 channels among 60 of 64 Members with names of a dozen letters. Those
	// among all Members are small, see channelSize.
	declaredBudget = 448 << 10
	// rootBudget is for one Member's root.
	rootBudget = 4 << 10
)

// usage is the size of one plan's channels and contracts.
type usage struct{ bytes, channels, contracts int }

func (r usage) plus(other usage) usage {
	return usage{r.bytes + other.bytes, r.channels + other.channels, r.contracts + other.contracts}
}

func (r usage) exceedsLimits() bool {
	return r.bytes > declaredBudget || r.channels > v1alpha1.MaxPlanChannels || r.contracts > v1alpha1.MaxPlanContracts
}

// enforceLimits rejects the channels and contracts that would exceed the limits of some Member's plan, so that the others can
// still be written. Those already in the plans stay; of new ones the older come first.
func enforceLimits(in Input, res *Result, contracts []v1alpha1.PlanContract) []v1alpha1.PlanContract {
	taken := map[string]usage{}
	for _, channel := range plannedFirst(in, in.Channels, func(c *v1alpha1.Channel) string { return c.Name }, isPlannedChannel) {
		c, ok := res.Resolved[channel.Name]
		if !ok {
			continue
		}
		if member := reserve(taken, c.Concerned(), usage{bytes: channelSize(in, &c), channels: 1}); member != "" {
			res.Channels[channel.Name] = planFull(member, "channel")
			delete(res.Resolved, channel.Name)
		}
	}
	planned := map[string]v1alpha1.PlanContract{}
	for _, c := range contracts {
		planned[c.Channel+"/"+c.Name] = c
	}
	var kept []v1alpha1.PlanContract
	for _, contract := range plannedFirst(in, in.Contracts, func(c *v1alpha1.Contract) string { return c.Spec.Channel + "/" + c.Name }, isPlannedContract) {
		c, ok := planned[contract.Spec.Channel+"/"+contract.Name]
		if !ok {
			continue
		}
		channel, ok := res.Resolved[c.Channel]
		if !ok {
			res.Contracts[contract.Name] = invalid(v1alpha1.ReasonInvalid, "its channel %s is not accepted: correct that first", c.Channel)
			continue
		}
		if member := reserve(taken, channel.Holding, usage{bytes: size(c), contracts: 1}); member != "" {
			res.Contracts[contract.Name] = planFull(member, "contract")
			continue
		}
		kept = append(kept, c)
	}
	slices.SortFunc(kept, func(a, b v1alpha1.PlanContract) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Name, b.Name))
	})
	return kept
}

// reserve adds usage to the plans of all the Members, or to none if a limit would be exceeded. It returns the first Member
// whose plan is full.
func reserve(taken map[string]usage, members []string, more usage) (fullMember string) {
	for _, member := range members {
		if taken[member].plus(more).exceedsLimits() {
			return member
		}
	}
	for _, member := range members {
		taken[member] = taken[member].plus(more)
	}
	return ""
}

func planFull(member, kind string) ValidationResult {
	return invalid(v1alpha1.ReasonPlanFull, "the plan of %s has no room for this %s: one consortium has at most %d channels and %d contracts for each member, and %d KiB for them all; delete what is not used any more, or declare it in another consortium",
		member, kind, v1alpha1.MaxPlanChannels, v1alpha1.MaxPlanContracts, declaredBudget>>10)
}

// channelSize is how many bytes of JSON a channel has in a plan, which does not list the members of one among all; the
// reference to a first block included.
func channelSize(in Input, c *Channel) int {
	counted := c.PlanChannel
	if len(counted.Members) == len(in.Consortium.Spec.Members) {
		counted.Members = nil
	}
	counted.GenesisHash = strings.Repeat("0", 64)
	counted.Genesis = &v1alpha1.StatementRef{Member: c.Leader, Digest: counted.GenesisHash}
	return size(counted)
}

// size is how many bytes of JSON a part of a plan has.
func size(part any) int {
	text, _ := json.Marshal(part) // Plain data: this cannot fail.
	return len(text)
}

// plannedFirst sorts objects: first those that some plan contains already, then the others by age.
func plannedFirst[T any, P interface {
	*T
	created
}](in Input, objects []T, key func(P) string, isPlanned func(*v1alpha1.MemberPlan, map[string]bool)) []P {
	planned := map[string]bool{}
	for _, plan := range in.Plans {
		isPlanned(plan, planned)
	}
	sorted := make([]P, len(objects))
	for i := range objects {
		sorted[i] = &objects[i]
	}
	slices.SortStableFunc(sorted, func(a, b P) int {
		if has := planned[key(a)]; has != planned[key(b)] {
			if has {
				return -1
			}
			return 1
		}
		return cmp.Or(a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time), cmp.Compare(a.GetName(), b.GetName()))
	})
	return sorted
}

// created is what objects are sorted by.
type created interface {
	GetCreationTimestamp() metav1.Time
	GetName() string
}

func isPlannedChannel(plan *v1alpha1.MemberPlan, planned map[string]bool) {
	for i := range plan.Spec.Channels {
		planned[plan.Spec.Channels[i].Name] = true
	}
}

func isPlannedContract(plan *v1alpha1.MemberPlan, planned map[string]bool) {
	for i := range plan.Spec.Contracts {
		planned[plan.Spec.Contracts[i].Channel+"/"+plan.Spec.Contracts[i].Name] = true
	}
}
