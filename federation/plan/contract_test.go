package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestSequence(t *testing.T) {
	// note is what the contract reconciler writes to the Contract's status.
	note := func(in *Input) {
		s := Compute(*in).Sequences["notary"]
		in.Contracts[0].Status = v1alpha1.ContractStatus{Sequence: s.Number, DefinitionHash: s.Hash, Settled: s.Settled}
	}
	differs := func(sequences ...int64) func(*Input) {
		return func(in *Input) { reported(*in, "notary", "deals", "version 9 on the ledger", sequences...) }
	}
	again := func(in *Input) { in.Contracts[0].Status = v1alpha1.ContractStatus{} }
	version := func(v string) func(*Input) { return func(in *Input) { in.Contracts[0].Spec.Version = v } }
	apply := func(in *Input) { *in = writePlans(*in) }
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
		{"most have more on their ledgers than was ever declared: the next one comes after that", []func(*Input){note, apply, report(900, 900, 1), version("2")}, 901},
		{"one member has not reported", []func(*Input){note, apply, report(1, 1), version("2")}, 2},
		{"resources are nothing to approve", []func(*Input){note, apply, report(1, 1, 1), func(in *Input) { in.Contracts[0].Spec.Resources = nil }}, 1},
		{"another image is", []func(*Input){note, apply, report(1, 1, 1), func(in *Input) {
			in.Contracts[0].Spec.Template, in.Contracts[0].Spec.Image = "", "example/notary:2"
		}}, 2},
		{"another endorsement policy is", []func(*Input){note, apply, report(1, 1, 1), func(in *Input) {
			in.Contracts[0].Spec.Endorsement = rule(v1alpha1.EndorseAny)
		}}, 2},
		{"somebody has committed something else after it: it is left alone", []func(*Input){note, apply, report(1, 1, 1), note, differs(2, 2, 2)}, 1},
		{"somebody has committed something else under its number", []func(*Input){note, apply, report(1, 1, 1), note, differs(1, 1, 1)}, 1},
		{"and people declare something new", []func(*Input){note, apply, report(1, 1, 1), note, differs(4, 4, 4), version("2")}, 5},
		{"and people declare what is there", []func(*Input){note, apply, report(1, 1, 1), note, report(4, 4, 4)}, 4},
		{"one member alone has something else", []func(*Input){note, apply, report(1, 1, 1), note, differs(2, 0, 0)}, 1},
		{"something else was there before it was declared: it is replaced", []func(*Input){note, apply, differs(3, 3, 3)}, 4},
		{"the same was there before it was declared: it is taken over", []func(*Input){note, apply, report(3, 3, 3)}, 3},
		{"a ledger that was made again begins again", []func(*Input){note, apply, report(1, 1, 1), version("2"), note, apply, report(2, 2, 2), note, report(0, 0, 0)}, 1},
		{"declared again after it was deleted, with another image", []func(*Input){note, apply, report(3, 3, 3), note, again, func(in *Input) {
			for _, plan := range in.Plans {
				plan.Spec.Contracts = nil
			}
			in.Contracts[0].Spec.Template, in.Contracts[0].Spec.Image = "", "example/notary:2"
		}}, 4},
		{"a report of a definition that the plan had before does not count for this one", []func(*Input){note, apply, version("2"), func(in *Input) {
			committed(*in, "notary", "deals", 1, 1, 1)
		}, note, apply, note}, 2},
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

func TestContracts(t *testing.T) {
	collection := func(change func(*v1alpha1.Collection)) func(*Input) {
		return func(in *Input) {
			c := v1alpha1.Collection{Name: "secrets", Members: []string{"a", "b"}}
			change(&c)
			in.Contracts[0].Spec.Collections = []v1alpha1.Collection{c}
		}
	}
	text := func(policy string) func(*Input) {
		return func(in *Input) { in.Contracts[0].Spec.Endorsement = &v1alpha1.EndorsementPolicy{Policy: policy} }
	}
	for _, row := range []struct {
		why    string
		change func(*Input)
		says   string // a part of what the condition says; accepted if empty
	}{
		{"a collection of some", collection(func(*v1alpha1.Collection) {}), ""},
		{"a collection that names another than a member", collection(func(c *v1alpha1.Collection) { c.Members = append(c.Members, "z") }), "z is not a member of channel deals"},
		{"a collection that nobody could hold", collection(func(c *v1alpha1.Collection) { c.Members = []string{"c"} }), "runs a peer"},
		{"more peers required than there are", collection(func(c *v1alpha1.Collection) { c.RequiredPeers = 2 }), "ask for 1 at the most"},
		{"a collection's policy that names nobody of it", collection(func(c *v1alpha1.Collection) {
			c.Endorsement = &v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"c"}}
		}), "names c"},
		{"a collection's policy in Fabric's text", collection(func(c *v1alpha1.Collection) {
			c.Endorsement = &v1alpha1.EndorsementPolicy{Policy: "AND('aMSP.peer', 'bMSP.peer')"}
		}), ""},
		{"a policy in Fabric's text", text("AND('aMSP.peer', OR('bMSP.peer', 'cMSP.peer'))"), ""},
		{"a policy with an error in it", text("AND('aMSP.peer', 'bMSP.peer'"), "a comma or ) is missing"},
		{"a policy that names another than a member", text("OR('zMSP.peer')"), "MSP ID of no member of the channel: those are aMSP, bMSP, cMSP"},
		{"a policy that names members and not their MSP IDs", text("OR('a.peer')"), "those are aMSP"},
		{"a policy that needs a member without a peer", text("AND('aMSP.peer', 'cMSP.peer')"), "can never be met"},
		{"a policy that only clients could satisfy", text("OR('aMSP.client')"), "can never be met"},
		{"the same name on another channel", func(in *Input) {
			in.Channels = append(in.Channels, channel("more"))
			other := contract("notary-more", "more")
			other.Spec.Name = "notary"
			in.Contracts = append([]v1alpha1.Contract{other}, in.Contracts...)
		}, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			in := input(org("a", 1, 1), org("b", 1, 1), org("c", 0, 1))
			row.change(&in)
			got := Compute(in).Contracts["notary"]
			if got.Accepted != (row.says == "") || !strings.Contains(got.Message, row.says) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSameNameTwiceOnAChannel(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 1))
	other := contract("other", "deals")
	other.Spec.Name, other.CreationTimestamp.Time = "notary", epoch.Add(time.Hour)
	in.Contracts = append(in.Contracts, other)
	if got := Compute(in).Contracts["other"]; got.Accepted || got.Reason != v1alpha1.ReasonNameTaken {
		t.Errorf("%+v", got)
	}
}

// TestWorkloadNames checks that the workload's name changes with what runs, and not with the rest of the definition.
func TestWorkloadNames(t *testing.T) {
	c := v1alpha1.PlanContract{Name: "notary", Channel: "deals", Image: "notary:1", Version: "1.0", Sequence: 1}
	for _, row := range []struct {
		why           string
		change        func(*v1alpha1.PlanContract)
		hash, another bool
	}{
		{"nothing", func(*v1alpha1.PlanContract) {}, false, false},
		{"another image", func(c *v1alpha1.PlanContract) { c.Image = "notary:2" }, true, true},
		{"another version", func(c *v1alpha1.PlanContract) { c.Version = "2.0" }, true, false},
		{"another policy", func(c *v1alpha1.PlanContract) { c.Endorsement.Rule = v1alpha1.EndorseAll }, true, false},
		{"a collection", func(c *v1alpha1.PlanContract) { c.Collections = []v1alpha1.Collection{{Name: "x"}} }, true, false},
		{"another number", func(c *v1alpha1.PlanContract) { c.Sequence = 2 }, false, false},
	} {
		d := c
		row.change(&d)
		if (d.DefinitionHash() != c.DefinitionHash()) != row.hash || (d.WorkloadName() != c.WorkloadName()) != row.another {
			t.Errorf("%s: %s %s", row.why, d.DefinitionHash(), d.WorkloadName())
		}
	}
}
