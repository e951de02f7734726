package plan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// store writes computed plans and their definition to the input as the API server stores them, and joins them as the next turn does.
func store(t *testing.T, in Input, res Result) Input {
	t.Helper()
	plans, definition := Stored(res)
	if in.Definition = nil; definition != nil {
		in.Definition = &v1alpha1.ConsortiumDefinition{Spec: *definition}
	}
	stored := map[string]*v1alpha1.MemberPlan{}
	for member, spec := range plans {
		p := &v1alpha1.MemberPlan{}
		if before := in.Plans[member]; before != nil {
			p.Status = *before.Status.DeepCopy()
		}
		p.Spec = spec
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		stored[member] = &v1alpha1.MemberPlan{}
		if err := json.Unmarshal(text, stored[member]); err != nil {
			t.Fatal(err)
		}
	}
	in.Stored, in.Plans = stored, Join(stored, in.Definition)
	return in
}

// checkStored compares what is read with what was computed, and returns how many plans refer to a definition.
func checkStored(t *testing.T, in Input, res Result) (split int) {
	t.Helper()
	for member, want := range res.Plans {
		if got := in.Plans[member].Spec; !equality.Semantic.DeepEqual(got, want) {
			gotText, _ := json.Marshal(got)
			wantText, _ := json.Marshal(want)
			t.Errorf("the plan of %s is read as\n%s\nand not\n%s", member, gotText, wantText)
		}
		if in.Stored[member].Spec.Definition != nil {
			split++
		}
	}
	return split
}

// randomInput is a consortium with any members, channels and contracts.
func randomInput(r *rand.Rand) Input {
	var members []v1alpha1.ConsortiumMember
	for i := range 2 + r.IntN(6) {
		members = append(members, org(fmt.Sprintf("m%d", i), r.Int32N(3), r.Int32N(2)))
	}
	*members[0].Orderers = 1
	in := input(members...)
	in.Channels, in.Contracts = nil, nil
	for i := range r.IntN(8) {
		c := channel(fmt.Sprintf("c%d", i))
		if r.IntN(3) == 0 {
			for _, m := range members {
				if r.IntN(2) == 0 || m.Name == "m0" {
					c.Spec.Members = append(c.Spec.Members, m.Name)
				}
			}
		}
		in.Channels = append(in.Channels, c)
		for range r.IntN(3) {
			in.Contracts = append(in.Contracts, contract(fmt.Sprintf("k%d", len(in.Contracts)), c.Name))
		}
	}
	for _, m := range in.Members {
		m.Status.Root = strings.Repeat("r", 1<<12)
	}
	return in
}

// TestStoredPlans stores the plans of any consortium, reads and joins them, and gets what was computed; then what the members
// report leads on to other plans, which are stored and read in the same way.
func TestStoredPlans(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	accepted := 0
	for range 200 {
		in := randomInput(r)
		for range 4 {
			res := Compute(in)
			if !res.Consortium.Accepted {
				break
			}
			accepted++
			in = store(t, in, res)
			split := checkStored(t, in, res)
			undecoded := slices.ContainsFunc(in.Channels, func(c v1alpha1.Channel) bool { return len(c.Undecodable) > 0 })
			if in.Definition != nil && split != len(res.Plans) && !undecoded {
				t.Errorf("%d of %d plans refer to the definition", split, len(res.Plans))
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			if again := Compute(in); !equality.Semantic.DeepEqual(again.Plans, res.Plans) {
				t.Fatalf("seed %d: other plans are computed from what was stored", seed)
			}
			for name, p := range in.Plans {
				p.Status.Record = hashOf(fmt.Sprint(name, r.IntN(3)))
				for _, c := range p.Spec.Channels {
					if r.IntN(2) == 0 {
						reports(in, name, c.Name, c.Name, r.IntN(2) == 0)
					}
				}
			}
			if i := r.IntN(8); i < len(in.Channels) {
				in.Channels[i].Undecodable = undecodableAt("spec.batch.timeout")
			}
		}
	}
	if accepted < 100 {
		t.Errorf("%d of 200 were accepted", accepted)
	}
}

// TestDefinitionIsForAll: a definition has nothing that does not concern every member, and small plans have none.
func TestDefinitionIsForAll(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 0), org("c", 1, 0), org("d", 0, 0))
	in.Channels = append(in.Channels, channel("secret", "a", "b"), channel("ordered", "b", "c"))
	in.Contracts = append(in.Contracts, contract("hidden", "secret"), contract("between", "ordered"))
	res := Compute(in)
	if _, definition := Stored(res); definition != nil {
		t.Errorf("a small consortium has a definition of %d bytes", len(definition.Content))
	}
	for _, m := range in.Members {
		m.Status.Root = strings.Repeat("r", 3000)
	}
	res = Compute(in)
	plans, definition := Stored(res)
	if definition == nil {
		t.Fatal("a large one has none")
	}
	if text := definition.Content; strings.Contains(text, "secret") || strings.Contains(text, "hidden") || strings.Contains(text, "between") ||
		!strings.Contains(text, `"deals"`) || !strings.Contains(text, `"notary"`) {
		t.Errorf("the definition: %.300s", text[len(text)-300:])
	}
	for _, row := range []struct {
		why, member string
		has         []string
		not         []string
	}{
		{"a member of the channel", "a", []string{"secret", "hidden"}, []string{"deals", "rrr"}},
		{"another member", "c", []string{"between"}, []string{"secret", "hidden"}},
		{"one without peers", "d", nil, []string{"secret", "hidden", "between", "contracts"}},
	} {
		text, err := json.Marshal(plans[row.member])
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range row.has {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s: no %s in %s", row.why, part, text)
			}
		}
		for _, part := range row.not {
			if strings.Contains(string(text), part) {
				t.Errorf("%s: %s in %s", row.why, part, text)
			}
		}
	}
}

// TestJoinOnHost: what has been decided outlives a turn that was interrupted between the definition and the plans, and a plan
// that is behind counts as such.
func TestJoinOnHost(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 1))
	for _, m := range in.Members {
		m.Status.Root = strings.Repeat("r", 1<<12)
	}
	in = store(t, in, Compute(in))
	reports(Input{Plans: in.Stored}, "a", "deals", "block", true)
	in.Plans = Join(in.Stored, in.Definition)
	res := Compute(in)
	_, definition := Stored(res)
	newer := &v1alpha1.ConsortiumDefinition{Spec: *definition}
	wrong := newer.DeepCopy()
	wrong.Spec.Content += " "
	for _, row := range []struct {
		why        string
		definition *v1alpha1.ConsortiumDefinition
		channels   int
		hash       string
		current    bool
	}{
		{"as it was written", in.Definition, 1, "", true},
		{"a newer one, which the plans do not refer to yet", newer, 1, hashOf("block"), false},
		{"it was deleted", nil, 0, "", false},
		{"somebody has changed it", wrong, 0, "", false},
	} {
		t.Run(row.why, func(t *testing.T) {
			p := Join(in.Stored, row.definition)["b"]
			if len(p.Spec.Channels) != row.channels || row.channels > 0 && p.Spec.Channels[0].GenesisHash != row.hash {
				t.Errorf("channels %+v", p.Spec.Channels)
			}
			if current := p.Spec.Definition == nil && p.Spec.Ledger.Type != ""; current != row.current {
				t.Errorf("definition %+v, ledger %+v", p.Spec.Definition, p.Spec.Ledger)
			}
			again := in
			again.Definition, again.Plans = row.definition, Join(in.Stored, row.definition)
			if !equality.Semantic.DeepEqual(Compute(again).Plans, res.Plans) {
				t.Error("other plans are computed")
			}
		})
	}
}
