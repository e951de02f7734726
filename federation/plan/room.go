package plan

import (
	"cmp"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// What a plan's parts may take up, in bytes of JSON. Together with the Members' roots, the nodes and the lines they stay
// below MaxPlanBytes, whatever the agents report.
const (
	// declaredBudget is for channels and contracts: 256 channels of 64 Members each with names of a dozen letters.
	declaredBudget = 448 << 10
	// recordBudget is for the Members' records. Those that do not fit travel by gossip alone.
	recordBudget = 96 << 10
	// rootBudget is for one Member's root.
	rootBudget = 4 << 10
)

// room is what the channels and contracts of one plan take up.
type room struct{ bytes, channels, contracts int }

func (r room) with(other room) room {
	return room{r.bytes + other.bytes, r.channels + other.channels, r.contracts + other.contracts}
}

func (r room) isTooLarge() bool {
	return r.bytes > declaredBudget || r.channels > v1alpha1.MaxPlanChannels || r.contracts > v1alpha1.MaxPlanContracts
}

// fit refuses the channels and contracts that some Member's plan has no room for, so that one too many does not keep the
// others from being written. What is in the plans already has its place; of what is new the older comes first.
func fit(in Input, res *Result, contracts []v1alpha1.PlanContract) []v1alpha1.PlanContract {
	taken := map[string]room{}
	for _, channel := range byPlace(in, in.Channels, func(c *v1alpha1.Channel) string { return c.Name }, isPlannedChannel) {
		c, ok := res.Resolved[channel.Name]
		if !ok {
			continue
		}
		if member := place(taken, c.Concerned(), room{bytes: size(c.PlanChannel), channels: 1}); member != "" {
			res.Channels[channel.Name] = full(member, "channel")
			delete(res.Resolved, channel.Name)
		}
	}
	planned := map[string]v1alpha1.PlanContract{}
	for _, c := range contracts {
		planned[c.Channel+"/"+c.Name] = c
	}
	var kept []v1alpha1.PlanContract
	for _, contract := range byPlace(in, in.Contracts, func(c *v1alpha1.Contract) string { return c.Spec.Channel + "/" + c.Name }, isPlannedContract) {
		c, ok := planned[contract.Spec.Channel+"/"+contract.Name]
		if !ok {
			continue
		}
		channel, ok := res.Resolved[c.Channel]
		if !ok {
			res.Contracts[contract.Name] = refused(v1alpha1.ReasonInvalid, "its channel %s is not accepted: mend that first", c.Channel)
			continue
		}
		if member := place(taken, channel.Endorsing, room{bytes: size(c), contracts: 1}); member != "" {
			res.Contracts[contract.Name] = full(member, "contract")
			continue
		}
		kept = append(kept, c)
	}
	slices.SortFunc(kept, func(a, b v1alpha1.PlanContract) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Name, b.Name))
	})
	return kept
}

// place takes up room in the plans of some Members, or in none of them. It names the first that has not enough.
func place(taken map[string]room, members []string, more room) (without string) {
	for _, member := range members {
		if taken[member].with(more).isTooLarge() {
			return member
		}
	}
	for _, member := range members {
		taken[member] = taken[member].with(more)
	}
	return ""
}

func full(member, kind string) Finding {
	return refused(v1alpha1.ReasonPlanFull, "the plan of %s has no room for this %s: one consortium has at most %d channels and %d contracts for each member, and %d KiB for them all; delete what is not used any more, or declare it in another consortium",
		member, kind, v1alpha1.MaxPlanChannels, v1alpha1.MaxPlanContracts, declaredBudget>>10)
}

// size is how many bytes of JSON a part of a plan has.
func size(part any) int {
	text, _ := json.Marshal(part) // Plain data: this cannot fail.
	return len(text)
}

// byPlace sorts objects: first those that some plan has already, then the others by age.
func byPlace[T any, P interface {
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
