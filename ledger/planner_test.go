package ledger_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/memorytest"
)

// planOf is org1's plan in a consortium in which everybody holds, and some order.
func planOf(ordering ...string) *v1alpha1.MemberPlan {
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Ledger: v1alpha1.LedgerSpec{Type: memorytest.Type}}}
	for _, name := range []string{"org1", "org2", "org3"} {
		member := v1alpha1.PlanMember{Name: name, Nodes: []v1alpha1.PlanMemberNode{{Name: "archive0-" + name, Role: memorytest.RoleArchive}}}
		if slices.Contains(ordering, name) {
			member.Nodes = append(member.Nodes, v1alpha1.PlanMemberNode{Name: "validator0-" + name, Role: memorytest.RoleValidator})
		}
		plan.Spec.Members = append(plan.Spec.Members, member)
	}
	for _, node := range plan.Spec.Members[0].Nodes {
		plan.Spec.Nodes = append(plan.Spec.Nodes, v1alpha1.PlanNode{Name: node.Name, Role: node.Role})
	}
	return plan
}

// TestOrdering: who orders a channel, and what org1 then has to do in it.
func TestOrdering(t *testing.T) {
	description := memorytest.Planner{}.Description()
	for _, row := range []struct {
		why            string
		ordering       []string
		channel        []string
		want           []string
		loads, sealing []string
	}{
		{"the channel's own members order it", []string{"org1", "org2", "org3"}, []string{"org2", "org3"}, []string{"org2", "org3"}, nil, nil},
		{"members that run no such node do not", []string{"org1", "org2"}, []string{"org2", "org3"}, []string{"org2"}, nil, nil},
		{"where none does, everybody's do, and hold nothing", []string{"org1", "org2"}, []string{"org3"}, []string{"org1", "org2"}, nil, []string{"validator0-org1"}},
		{"who is in it and orders does both", []string{"org1"}, []string{"org1", "org3"}, []string{"org1"}, []string{"archive0-org1"}, []string{"validator0-org1"}},
		{"nobody runs any", nil, []string{"org1"}, nil, []string{"archive0-org1"}, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			plan, channel := planOf(row.ordering...), v1alpha1.PlanChannel{Members: row.channel}
			if diff := cmp.Diff(row.want, description.OrderingMembers(plan, channel)); diff != "" {
				t.Error(diff)
			}
			var at [][]string
			for _, step := range description.Steps {
				at = append(at, description.Nodes(plan, channel, step))
			}
			if diff := cmp.Diff([][]string{row.loads, row.sealing, nil}, at); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHolders(t *testing.T) {
	status := v1alpha1.PlanChannelStatus{Steps: []v1alpha1.PlanStep{
		{Name: memorytest.StepLoad, Nodes: []string{"archive0-org1"}}, {Name: memorytest.StepSeal, Nodes: []string{"validator0-org1"}},
		{Name: "Unknown", Nodes: []string{"other0-org1"}},
	}}
	if got := (memorytest.Planner{}).Description().Holders(status); !slices.Equal(got, []string{"archive0-org1"}) {
		t.Errorf("the channel is held by %v", got)
	}
}

func TestPlanners(t *testing.T) {
	known := ledger.Planners{memorytest.Type: memorytest.Planner{}}
	if got := known.Describe(planOf()); got.Port(memorytest.RoleValidator) != 9000 || got.Rank(memorytest.RoleArchive) != 0 {
		t.Errorf("the plan's ledger is %+v", got)
	}
	// A program that does not know a ledger opens no port for it.
	fabric := &v1alpha1.MemberPlan{}
	if got := known.Describe(fabric); got.Port(v1alpha1.RolePeer) != 0 || len(got.Roles) > 0 || known.Of(fabric.Spec.Ledger) != nil {
		t.Errorf("a ledger that is not known is %+v", got)
	}
}
