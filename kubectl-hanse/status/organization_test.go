package status

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TestPlanned checks whom a channel concerns, with whole plans and with such as refer to a definition.
func TestPlanned(t *testing.T) {
	named := func(name string, refers bool, channels ...v1alpha1.PlanChannel) MemberSnapshot {
		m := MemberSnapshot{}
		m.Member.Name, m.Plan.Spec.Channels = name, channels
		if refers {
			m.Plan.Spec.Definition = &v1alpha1.PlanDefinition{}
		}
		return m
	}
	declared := func(accepted metav1.ConditionStatus, members ...string) []v1alpha1.Channel {
		c := v1alpha1.Channel{Spec: v1alpha1.ChannelSpec{Members: members}}
		c.Name = "deals"
		c.Status.Conditions = []condition{{Type: v1alpha1.ConditionAccepted, Status: accepted}}
		return []v1alpha1.Channel{c}
	}
	whole := v1alpha1.PlanChannel{Name: "deals", Members: []string{"a"}}
	for _, row := range []struct {
		why               string
		of                MemberSnapshot
		others            []MemberSnapshot
		channels          []v1alpha1.Channel
		concerned, member bool
	}{
		{"a member of a channel in a whole plan", named("a", false, whole), nil, declared("True"), true, true},
		{"one that orders for it", named("o", false, whole), nil, declared("True"), true, false},
		{"a whole plan without it", named("b", false), nil, declared("True"), false, false},
		{"a channel of all, which is in the definition", named("a", true), nil, declared("True"), true, true},
		{"the same, with something for this member alone", named("a", true, v1alpha1.PlanChannel{Name: "deals", GenesisRequested: true}), nil, declared("True"), true, true},
		{"one that orders for a channel in the definition", named("o", true), nil, declared("True", "a", "b"), true, false},
		{"a channel of some, which is in their plans", named("c", true), []MemberSnapshot{named("a", true, whole)}, declared("True", "a"), false, false},
		{"one that is not accepted", named("a", true), nil, declared("False"), false, false},
		{"one that is not declared", named("a", true), nil, nil, false, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			s := Snapshot{Members: append(row.others, row.of), Channels: row.channels}
			if concerned, member := planned(s, row.of, "deals"); concerned != row.concerned || member != row.member {
				t.Errorf("concerned %v, member %v", concerned, member)
			}
		})
	}
}
