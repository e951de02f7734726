package plan

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func undecodableAt(path string) v1alpha1.Undecodable {
	return v1alpha1.Undecodable{{Path: path, Problem: "it is nonsense"}}
}

func TestUndecodableKeepsItsPlan(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*Input)
		of     func(Result) ValidationResult
		path   string
		// plans says that there are plans, which are then as they were.
		plans bool
	}{
		{"a channel", func(in *Input) {
			in.Channels[0].Undecodable, in.Channels[0].Spec.Members = undecodableAt("spec.batch.timeout"), []string{"a"}
		}, func(r Result) ValidationResult { return r.Channels["deals"] }, "spec.batch.timeout", true},
		{"a contract", func(in *Input) {
			in.Contracts[0].Undecodable, in.Contracts[0].Spec.Version = undecodableAt("spec.resources.limits.cpu"), "9"
		}, func(r Result) ValidationResult { return r.Contracts["notary"] }, "spec.resources.limits.cpu", true},
		{"a line", func(in *Input) {
			in.Lines[0].Undecodable, in.Lines[0].Spec.Priority = undecodableAt("spec.priority"), 0
		}, func(Result) ValidationResult { return accepted() }, "", true},
		{"the consortium", func(in *Input) { in.Consortium.Undecodable = undecodableAt("spec.nodes.storage.size") },
			func(r Result) ValidationResult { return r.Consortium }, "spec.nodes.storage.size", false},
		{"a member's specification", func(in *Input) { in.Members["b"].Undecodable = undecodableAt("spec.invitationExpires") },
			func(r Result) ValidationResult { return r.Consortium }, "Member b: spec.invitationExpires", false},
		{"a member's root", func(in *Input) {
			in.Members["b"].Undecodable, in.Members["b"].Status.Root = undecodableAt("status.root"), ""
		},
			func(r Result) ValidationResult { return r.Consortium }, "--subresource=status", false},
		{"another part of a member's status, which no plan needs", func(in *Input) { in.Members["b"].Undecodable = undecodableAt("status.lines[0].since") },
			func(r Result) ValidationResult { return r.Consortium }, "", true},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := writePlans(input(org("a", 1, 1), org("b", 1, 1)))
			c.change(&in)
			res := Compute(in)
			validation := c.of(res)
			if validation.Accepted != (c.path == "") || !strings.Contains(validation.Message, c.path) {
				t.Errorf("got %+v, want one that names %q", validation, c.path)
			}
			if c.path != "" && validation.Reason != v1alpha1.ReasonUndecodable {
				t.Errorf("got reason %s", validation.Reason)
			}
			if (len(res.Plans) > 0) != c.plans {
				t.Fatalf("there are %d plans", len(res.Plans))
			}
			for member, spec := range res.Plans {
				if !equality.Semantic.DeepEqual(spec, in.Plans[member].Spec) {
					t.Errorf("the plan of %s has changed: %+v", member, spec)
				}
			}
		})
	}
}
