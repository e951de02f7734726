package host

import (
	"fmt"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func versioned(name, version string) *v1alpha1.MemberPlan {
	plan := &v1alpha1.MemberPlan{}
	plan.Name, plan.ResourceVersion = name, version
	return plan
}

// TestRecentPlans holds when a plan that was read or written may be used again.
func TestRecentPlans(t *testing.T) {
	const small = 1 << 10
	for _, row := range []struct {
		why  string
		do   func(r *recentPlans)
		want string
	}{
		{"read after the watch has shown it", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), small)
		}, "5"},
		{"a newer one is shown later: it has to be read", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), small)
			r.changed("trade", "10")
		}, ""},
		{"a newer one was shown while it was being read", func(r *recentPlans) {
			r.changed("trade", "10")
			r.keep(versioned("trade", "9"), small)
		}, ""},
		{"read before the watch shows that version", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "7"), small)
			r.changed("trade", "6")
			r.changed("trade", "7")
		}, "7"},
		{"an own report is what the host has, and its echo changes nothing", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), small)
			r.wrote(versioned("trade", "6"))
			r.changed("trade", "6")
		}, "6"},
		{"an own report of a plan that is not kept", func(r *recentPlans) {
			r.changed("trade", "5")
			r.wrote(versioned("trade", "6"))
		}, ""},
		{"the watch has begun anew: what happened in between is not known", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), small)
			r.reset()
		}, ""},
		{"no watch has shown it: nothing would tell that it is old", func(r *recentPlans) {
			r.keep(versioned("trade", "5"), small)
		}, ""},
		{"a write met a conflict", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), small)
			r.forget("trade")
		}, ""},
		{"a version that is no number is newer than any", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), small)
			r.changed("trade", "abc")
		}, ""},
		{"a large plan is read each time", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), recentPlanBytes+1)
		}, ""},
		{"part of it could not be decoded", func(r *recentPlans) {
			r.changed("trade", "5")
			plan := versioned("trade", "5")
			plan.Undecodable = v1alpha1.Undecodable{{}}
			r.keep(plan, small)
		}, ""},
		{"another plan changes", func(r *recentPlans) {
			r.changed("trade", "5")
			r.keep(versioned("trade", "5"), small)
			r.changed("other", "10")
		}, "5"},
	} {
		r := &recentPlans{}
		row.do(r)
		got := ""
		if plan := r.get("trade"); plan != nil {
			got = plan.ResourceVersion
		}
		if got != row.want {
			t.Errorf("%s: version %q, want %q", row.why, got, row.want)
		}
	}
}

// TestRecentPlansAreBounded has a host send as many plans as it likes.
func TestRecentPlansAreBounded(t *testing.T) {
	r := &recentPlans{}
	for i := range 1000 {
		name := fmt.Sprintf("plan-%d", i)
		r.changed(name, "1")
		r.keep(versioned(name, "1"), recentPlanBytes)
	}
	if r.bytes > recentBytes || len(r.plans) != recentBytes/recentPlanBytes {
		t.Errorf("%d bytes of %d plans are kept", r.bytes, len(r.plans))
	}
	for i := range 1000 {
		r.forget(fmt.Sprintf("plan-%d", i))
	}
	if r.bytes != 0 || len(r.plans) != 0 {
		t.Errorf("%d bytes of %d plans are left", r.bytes, len(r.plans))
	}
	plan := versioned("trade", "2")
	r.changed("trade", "2")
	r.keep(plan, 1)
	plan.Spec.Consortium = "changed"
	r.get("trade").Spec.Consortium = "changed too"
	if got := r.get("trade").Spec.Consortium; got != "" {
		t.Errorf("what is kept was changed from outside: %q", got)
	}
}
