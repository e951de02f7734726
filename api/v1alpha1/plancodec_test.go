package v1alpha1

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

var tenMebibytes = resource.MustParse("10Mi")

// TestPlansAreStoredCompact checks that a stored plan says once what its channels share, and that it decodes to what was
// encoded, whatever the channels have in common.
func TestPlansAreStoredCompact(t *testing.T) {
	channel := func(name string, change func(*PlanChannel)) PlanChannel {
		c := PlanChannel{
			Name: name, Members: []string{"a", "b"}, Leader: "a", Endorsement: EndorsementPolicy{Rule: "Majority"},
			Batch: Batch{MaxMessages: 500, AbsoluteMaxBytes: &tenMebibytes, Timeout: &metav1.Duration{Duration: time.Second}},
		}
		if change != nil {
			change(&c)
		}
		return c
	}
	for _, row := range []struct {
		why      string
		channels []PlanChannel
		// says are texts of the stored plan, and how often they are in it.
		says map[string]int
	}{
		{"no channels", nil, map[string]int{`"channelDefaults"`: 0}},
		{"channels of all members with the same rules", []PlanChannel{channel("x", nil), channel("y", nil)},
			map[string]int{`"members":["`: 0, `"Majority"`: 1, `"10Mi"`: 1, `"leader"`: 1}},
		{"a channel of some members", []PlanChannel{channel("x", nil), channel("y", func(c *PlanChannel) { c.Members, c.Leader = []string{"b"}, "b" })},
			map[string]int{`"members":["b"]`: 1, `"leader"`: 2, `"Majority"`: 1}},
		{"other rules", []PlanChannel{channel("x", nil), channel("y", func(c *PlanChannel) {
			c.Endorsement, c.Batch.MaxMessages = EndorsementPolicy{Rule: "All"}, 1
		})}, map[string]int{`"Majority"`: 1, `"All"`: 1, `"maxMessages"`: 2}},
		{"one without a leader is not given another's", []PlanChannel{channel("x", nil), channel("y", func(c *PlanChannel) { c.Leader = "" })},
			map[string]int{`"leader"`: 1}},
		{"one without rules is not given another's", []PlanChannel{channel("x", nil), channel("y", func(c *PlanChannel) {
			c.Endorsement, c.Batch = EndorsementPolicy{}, Batch{}
		})}, map[string]int{`"Majority"`: 1, `"10Mi"`: 1}},
	} {
		t.Run(row.why, func(t *testing.T) {
			plan := &MemberPlan{Spec: MemberPlanSpec{Member: "a", Members: []PlanMember{{Name: "a"}, {Name: "b"}}, Channels: row.channels}}
			before := plan.DeepCopy()
			text, err := json.Marshal(plan)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(before, plan) {
				t.Error("encoding changes the plan")
			}
			for part, times := range row.says {
				if strings.Count(string(text), part) != times {
					t.Errorf("%s should be in it %d times: %s", part, times, text)
				}
			}
			var decoded, converted MemberPlan
			if err := json.Unmarshal(text, &decoded); err != nil {
				t.Fatal(err)
			}
			fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(plan)
			if err != nil {
				t.Fatal(err)
			}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &converted); err != nil {
				t.Fatal(err)
			}
			if again, err := json.Marshal(decoded); err != nil || string(again) != string(text) {
				t.Errorf("decoded and encoded again: %s, %v", again, err)
			}
			for how, got := range map[string]*MemberPlan{"decoded": &decoded, "by way of an apply request": &converted} {
				if want := plan.Spec.Channels; len(got.Spec.Channels) != len(want) {
					t.Errorf("%s: %+v", how, got.Spec.Channels)
				}
				for i, c := range got.Spec.Channels {
					if want := plan.Spec.Channels[i]; jsonOf(t, c) != jsonOf(t, want) {
						t.Errorf("%s: %s instead of %s", how, jsonOf(t, c), jsonOf(t, want))
					}
				}
				if got.Spec.ChannelDefaults != nil {
					t.Errorf("%s: the defaults stay beside what they were filled into: nobody compares them", how)
				}
			}
		})
	}
}

func jsonOf(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
