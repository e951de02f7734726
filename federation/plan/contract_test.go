package plan

import (
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestSequence(t *testing.T) {
	// note is what the contract reconciler writes down of a plan.
	note := func(in *Input) {
		s := Compute(*in).Sequences["notary"]
		in.Contracts[0].Status = v1alpha1.ContractStatus{Sequence: s.Number, DefinitionHash: s.Hash}
	}
	version := func(v string) func(*Input) { return func(in *Input) { in.Contracts[0].Spec.Version = v } }
	apply := func(in *Input) { *in = carryOut(*in) }
	report := func(sequences ...int64) func(*Input) {
		return func(in *Input) { committed(*in, "notary", "deals", sequences...) }
	}
	for _, c := range []struct {
		why   string
		steps []func(*Input)
		want  int64
	}{
		{"the first definition", nil, 1},
		{"nothing changed", []func(*Input){note, apply, report(1, 1, 1)}, 1},
		{"changed before it was committed: the ledger takes no other number yet", []func(*Input){note, apply, version("2")}, 1},
		{"changed after it was committed", []func(*Input){note, apply, report(1, 1, 1), version("2")}, 2},
		{"changed after it was committed, written down and planned", []func(*Input){note, apply, report(1, 1, 1), version("2"), note, apply}, 2},
		{"planned, but the note was lost", []func(*Input){note, apply, report(1, 1, 1), version("2"), apply}, 2},
		{"planned without the note, then changed again before it was committed", []func(*Input){note, apply, report(1, 1, 1), version("2"), apply, version("3")}, 2},
		{"changed twice, each time after the commit", []func(*Input){note, apply, report(1, 1, 1), version("2"), note, apply, report(2, 2, 2), version("3")}, 3},
		{"one member alone says that it was committed", []func(*Input){note, apply, report(1, 0, 0), version("2")}, 1},
		{"one member says that far more was committed", []func(*Input){note, apply, report(900, 1, 1), version("2")}, 2},
		{"most say that more was committed than was ever declared", []func(*Input){note, apply, report(900, 900, 1), version("2")}, 2},
		{"one member has not been heard of", []func(*Input){note, apply, report(1, 1), version("2")}, 2},
		{"resources are nothing to approve", []func(*Input){note, apply, report(1, 1, 1), func(in *Input) { in.Contracts[0].Spec.Resources = nil }}, 1},
		{"another image is", []func(*Input){note, apply, report(1, 1, 1), func(in *Input) {
			in.Contracts[0].Spec.Template, in.Contracts[0].Spec.Image = "", "example/notary:2"
		}}, 2},
		{"another endorsement policy is", []func(*Input){note, apply, report(1, 1, 1), func(in *Input) {
			in.Contracts[0].Spec.Endorsement = rule(v1alpha1.EndorseAny)
		}}, 2},
		{"there and back again before the commit", []func(*Input){note, apply, report(1, 1, 1), version("2"), note, apply, version("1.0")}, 2},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := input(org("a", 1, 1), org("b", 1, 1), org("c", 1, 1))
			for _, step := range c.steps {
				step(&in)
			}
			if got := Compute(in).Plans["a"].Contracts[0].Sequence; got != c.want {
				t.Errorf("sequence %d, want %d", got, c.want)
			}
		})
	}
}
