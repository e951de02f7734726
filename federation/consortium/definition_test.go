package consortium

import (
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// TestStaleDefinition checks when a definition is written, and with what.
func TestStaleDefinition(t *testing.T) {
	want := v1alpha1.ConsortiumDefinitionSpec{Digest: "d", Content: "{}"}
	written := func(change func(*v1alpha1.ConsortiumDefinition)) *v1alpha1.ConsortiumDefinition {
		d := staleDefinition(tradeAmong("a"), &want)
		d.ResourceVersion = "7"
		change(d)
		return d
	}
	for _, row := range []struct {
		why     string
		have    *v1alpha1.ConsortiumDefinition
		want    *v1alpha1.ConsortiumDefinitionSpec
		written bool
		version string
	}{
		{"none is needed", nil, nil, false, ""},
		{"none is needed any more", written(func(*v1alpha1.ConsortiumDefinition) {}), nil, false, ""},
		{"there is none yet", nil, &want, true, ""},
		{"it is as it is to be", written(func(*v1alpha1.ConsortiumDefinition) {}), &want, false, ""},
		{"another one", written(func(d *v1alpha1.ConsortiumDefinition) { d.Spec.Digest = "e" }), &want, true, "7"},
		{"somebody has changed its content", written(func(d *v1alpha1.ConsortiumDefinition) { d.Spec.Content = "[]" }), &want, true, "7"},
		{"somebody has taken a label away", written(func(d *v1alpha1.ConsortiumDefinition) { delete(d.Labels, v1alpha1.LabelConsortium) }), &want, true, "7"},
	} {
		t.Run(row.why, func(t *testing.T) {
			in := tradeAmong("a")
			in.Definition = row.have
			got := staleDefinition(in, row.want)
			if (got != nil) != row.written {
				t.Fatalf("written: %+v", got)
			}
			if got != nil && (got.Spec != want || got.ResourceVersion != row.version || !belongsTo(got, in.Consortium) || got.Namespace != "hanse-shared-trade" || got.Name != "trade") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestStalePlans compares plans in the form in which they are stored: one that refers to another definition is written.
func TestStalePlans(t *testing.T) {
	spec := func(member, digest string) v1alpha1.MemberPlanSpec {
		return v1alpha1.MemberPlanSpec{Member: member, Consortium: "trade", Definition: &v1alpha1.PlanDefinition{Digest: digest}}
	}
	in := plan.Input{Stored: map[string]*v1alpha1.MemberPlan{"a": memberPlan(spec("a", "1")), "b": memberPlan(spec("b", "0"))}}
	changed, created := stalePlans(in, map[string]v1alpha1.MemberPlanSpec{"a": spec("a", "1"), "b": spec("b", "1"), "c": spec("c", "1")})
	if len(changed) != 1 || changed[0].Spec.Member != "b" || changed[0].Spec.Definition.Digest != "1" || len(created) != 1 || created[0].Spec.Member != "c" {
		t.Errorf("changed %+v, created %+v", changed, created)
	}
	whole := memberPlan(v1alpha1.MemberPlanSpec{Member: "d"})
	if left := withoutDefinition(append(changed, whole)); len(left) != 1 || left[0] != whole {
		t.Errorf("%+v do not need the definition", left)
	}
}
