package v1alpha1

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sharedDefinition has two channels of all, one of some, and a contract on each of the former.
func sharedDefinition() *Definition {
	batch := Batch{MaxMessages: 500, AbsoluteMaxBytes: &tenMebibytes, Timeout: &metav1.Duration{Duration: time.Second}}
	channel := func(name string, members ...string) PlanChannel {
		return PlanChannel{Name: name, Members: members, Leader: "a", Endorsement: EndorsementPolicy{Rule: "Majority"}, Batch: batch}
	}
	contract := func(channel string) PlanContract {
		return PlanContract{Name: "notary", Channel: channel, Image: "i", Version: "1.0", Sequence: 1, Endorsement: EndorsementPolicy{Rule: "All"}}
	}
	d := &Definition{
		Consortium: "trade", ConsortiumNamespace: "tenant", Ledger: LedgerSpec{Type: LedgerFabric},
		Channels:  []PlanChannel{channel("deals", "a", "b", "c"), channel("loans", "a", "b", "c"), channel("rates", "a", "b")},
		Contracts: []PlanContract{contract("deals"), contract("loans")},
	}
	for _, name := range []string{"a", "b", "c"} {
		d.Members = append(d.Members, PlanMember{
			Name: name, Role: RoleParticipant, Root: "root of " + name, Nodes: []PlanMemberNode{{Name: "peer0-" + name, Role: RolePeer, Port: 7051}},
		})
	}
	d.Channels[1].GenesisHash = strings.Repeat("1", 64)
	return d
}

// planWith is a plan of b with the definition in it.
func planWith(d *Definition) *MemberPlanSpec {
	spec, err := d.Join(&MemberPlanSpec{
		Member: "b", Consortium: "trade", ConsortiumNamespace: "tenant", Namespace: "hanse-trade",
		Definition: &PlanDefinition{Contracts: true},
	})
	if err != nil {
		panic(err)
	}
	return spec.DeepCopy()
}

// stored is a spec as it is after a write and a read.
func stored(t testing.TB, spec MemberPlanSpec) *MemberPlanSpec {
	t.Helper()
	text, err := json.Marshal(MemberPlan{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	var p MemberPlan
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return &p.Spec
}

// checkInverse splits a plan, stores and reads both parts, joins them, and compares. It returns whether the plan is split.
func checkInverse(t testing.TB, d *Definition, spec *MemberPlanSpec) bool {
	t.Helper()
	encoded := d.Encode()
	before := spec.DeepCopy()
	own, ok := d.Split(spec, encoded.Digest)
	if !equality.Semantic.DeepEqual(before, spec) {
		t.Errorf("splitting changes the plan")
	}
	if !ok {
		return false
	}
	decoded, err := encoded.Decode()
	if err != nil {
		t.Fatal(err)
	}
	joined, err := decoded.Join(stored(t, own))
	if err != nil {
		t.Fatal(err)
	}
	if want := stored(t, *spec); !equality.Semantic.DeepEqual(*want, joined) {
		t.Errorf("joined: %s\ninstead of %s", jsonOf(t, joined), jsonOf(t, want))
	}
	return true
}

// TestSplit checks what can be split, and that it can be joined again.
func TestSplit(t *testing.T) {
	digest := strings.Repeat("d", 64)
	for _, row := range []struct {
		why    string
		change func(*MemberPlanSpec)
		ok     bool
		// says is part of the stored plan.
		says string
	}{
		{"nothing of its own", func(*MemberPlanSpec) {}, true, `"contracts":true`},
		{"digests of statements", func(p *MemberPlanSpec) { p.Members[1].Record, p.Members[0].Holdings = digest, digest }, true, `"records":["","` + digest + `"],"holdings":["` + digest + `"]`},
		{"a reference to a first block", func(p *MemberPlanSpec) { p.Channels[1].Genesis = &StatementRef{Member: "a", Digest: digest} }, true,
			`"channels":[{"name":"loans","genesis":`},
		{"a first block is asked for", func(p *MemberPlanSpec) { p.Channels[0].GenesisRequested = true }, true, `"channels":[{"name":"deals","genesisRequested":true}]`},
		{"none of the contracts, as without peers", func(p *MemberPlanSpec) { p.Contracts = nil }, true, `"namespace":"hanse-trade"`},
		{"one contract only", func(p *MemberPlanSpec) { p.Contracts = p.Contracts[:1] }, false, ""},
		{"a channel and a contract of its own", func(p *MemberPlanSpec) {
			p.Channels = append(p.Channels, PlanChannel{Name: "secret", Members: []string{"a", "b"}, Leader: "b"})
			p.Contracts = append(p.Contracts, PlanContract{Name: "k", Channel: "secret"})
		}, true, `"channels":[{"name":"secret","members":["a","b"]}]`},
		{"retiring", func(p *MemberPlanSpec) { p.Retire = true }, true, `"retire":true`},
		{"without a channel that all have", func(p *MemberPlanSpec) { p.Channels = p.Channels[:2] }, false, ""},
		{"channels out of order", func(p *MemberPlanSpec) { p.Channels[0], p.Channels[1] = p.Channels[1], p.Channels[0] }, false, ""},
		{"a channel twice", func(p *MemberPlanSpec) { p.Channels[1] = p.Channels[0] }, false, ""},
		{"another member", func(p *MemberPlanSpec) { p.Members[0].Name = "z" }, false, ""},
		{"another root", func(p *MemberPlanSpec) { p.Members[0].Root = "z" }, false, ""},
		{"a member less", func(p *MemberPlanSpec) { p.Members = p.Members[:2] }, false, ""},
		{"other members of a channel", func(p *MemberPlanSpec) { p.Channels[0].Members = []string{"a"} }, false, ""},
		{"another leader", func(p *MemberPlanSpec) { p.Channels[0].Leader = "b" }, false, ""},
		{"another policy", func(p *MemberPlanSpec) { p.Channels[0].Endorsement.Rule = "Any" }, false, ""},
		{"another batch", func(p *MemberPlanSpec) { p.Channels[0].Batch.MaxMessages = 7 }, false, ""},
		{"another first block", func(p *MemberPlanSpec) { p.Channels[1].GenesisHash = "z" }, false, ""},
		{"another sequence", func(p *MemberPlanSpec) { p.Contracts[0].Sequence = 7 }, false, ""},
		{"a contract twice", func(p *MemberPlanSpec) { p.Contracts[1] = p.Contracts[0] }, false, ""},
		{"another ledger", func(p *MemberPlanSpec) { p.Ledger.Type = "Other" }, false, ""},
		{"another consortium", func(p *MemberPlanSpec) { p.Consortium = "fish" }, false, ""},
		{"one of that name elsewhere", func(p *MemberPlanSpec) { p.ConsortiumNamespace = "other" }, false, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			d := sharedDefinition()
			spec := planWith(d)
			row.change(spec)
			if ok := checkInverse(t, d, spec); ok != row.ok {
				t.Fatalf("split: %v", ok)
			}
			own, _ := d.Split(spec, d.Encode().Digest)
			if text := jsonOf(t, MemberPlan{Spec: own}); row.ok && (!strings.Contains(text, row.says) || strings.Contains(text, "root of")) {
				t.Errorf("stored: %s", text)
			}
		})
	}
}

// TestDefinitionDigest: the same definition has the same bytes, and each part of it is in the digest.
func TestDefinitionDigest(t *testing.T) {
	const known = "787226bac80eff3dc440ee947e73a8330acb2d8bc125ca848f8368891700dad8"
	if got := sharedDefinition().Encode(); got != sharedDefinition().Encode() || got.Digest != known {
		t.Errorf("digest %s, content %s", got.Digest, got.Content)
	}
	seen := map[string]string{known: "nothing"}
	for why, change := range map[string]func(*Definition){
		"the consortium":   func(d *Definition) { d.Consortium = "x" },
		"its namespace":    func(d *Definition) { d.ConsortiumNamespace = "x" },
		"the ledger":       func(d *Definition) { d.Ledger.Type = "x" },
		"a member":         func(d *Definition) { d.Members = d.Members[:2] },
		"a root":           func(d *Definition) { d.Members[0].Root = "x" },
		"a name on ledger": func(d *Definition) { d.Members[0].MSPID = "x" },
		"a node":           func(d *Definition) { d.Members[0].Nodes = nil },
		"a channel":        func(d *Definition) { d.Channels = d.Channels[:2] },
		"its members":      func(d *Definition) { d.Channels[0].Members = []string{"a"} },
		"its rule":         func(d *Definition) { d.Channels[0].Endorsement.Rule = "Any" },
		"all rules": func(d *Definition) {
			d.Channels[0].Endorsement.Rule, d.Channels[1].Endorsement.Rule, d.Channels[2].Endorsement.Rule = "Any", "Any", "Any"
		},
		"a first block": func(d *Definition) { d.Channels[0].GenesisHash = "x" },
		"a contract":    func(d *Definition) { d.Contracts = d.Contracts[:1] },
		"its image":     func(d *Definition) { d.Contracts[0].Image = "x" },
	} {
		d := sharedDefinition()
		change(d)
		digest := d.Encode().Digest
		if other, known := seen[digest]; known {
			t.Errorf("%s changes the digest no more than %s", why, other)
		}
		seen[digest] = why
	}
}

// TestHostileDefinition: what is not the definition of the digest, or of the consortium, is rejected.
func TestHostileDefinition(t *testing.T) {
	good := sharedDefinition().Encode()
	of := func(content string) ConsortiumDefinitionSpec {
		return ConsortiumDefinitionSpec{Digest: contentDigest(content), Content: content}
	}
	// The end of this hash looks like a quantity that is never read to its end.
	hashed := sharedDefinition()
	hashed.Channels[0].GenesisHash = strings.Repeat("0", 58) + "2e1234"
	for _, row := range []struct {
		why  string
		spec ConsortiumDefinitionSpec
		own  MemberPlanSpec
		says string
	}{
		{"as it should be", good, MemberPlanSpec{Consortium: "trade", ConsortiumNamespace: "tenant"}, ""},
		{"with a hash that ends like a number", hashed.Encode(), MemberPlanSpec{Consortium: "trade", ConsortiumNamespace: "tenant"}, ""},
		{"another content", ConsortiumDefinitionSpec{Digest: good.Digest, Content: good.Content + " "}, MemberPlanSpec{}, "has the digest"},
		{"too large", of(good.Content + strings.Repeat(" ", MaxPlanBytes)), MemberPlanSpec{}, "more than 1048576"},
		{"no JSON", of("<html>"), MemberPlanSpec{}, "cannot be decoded"},
		{"nothing", of(""), MemberPlanSpec{}, "cannot be decoded"},
		{"a quantity that is never read to its end", of(`{"contracts":[{"resources":{"limits":{"cpu":"1e99999999"}}}]}`), MemberPlanSpec{}, "contracts[0].resources"},
		{"no quantity", of(`{"contracts":[{"resources":{"limits":{"cpu":"much"}}}]}`), MemberPlanSpec{}, "cannot be decoded"},
		{"another consortium's", good, MemberPlanSpec{Consortium: "fish", ConsortiumNamespace: "tenant"}, `consortium "trade"`},
		{"that of another namespace's", good, MemberPlanSpec{Consortium: "trade", ConsortiumNamespace: "x"}, `namespace "tenant"`},
		{"statements of more members", good, MemberPlanSpec{Consortium: "trade", ConsortiumNamespace: "tenant", Definition: &PlanDefinition{Records: make([]string, 4)}}, "3 members"},
	} {
		t.Run(row.why, func(t *testing.T) {
			if row.own.Definition == nil {
				row.own.Definition = &PlanDefinition{}
			}
			d, err := row.spec.Decode()
			if err == nil {
				_, err = d.Join(&row.own)
			}
			if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want %q", err, row.says)
			}
		})
	}
}

// TestRandomSplit splits plans that were changed at random, and joins them again.
func TestRandomSplit(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	split := 0
	for range 500 {
		d := sharedDefinition()
		spec := planWith(d)
		for i := range spec.Members {
			spec.Members[i].Record = pick(r, "", strings.Repeat("e", 64))
			spec.Members[i].Holdings = pick(r, "", strings.Repeat("f", 64))
		}
		for i := range spec.Channels {
			spec.Channels[i].GenesisRequested = r.IntN(2) == 0
			spec.Channels[i].Genesis = pick(r, nil, &StatementRef{Member: "c", Digest: strings.Repeat("a", 64)})
			spec.Channels[i].Leader = pick(r, "a", "a", "a", "a", "c")
		}
		for i := range r.IntN(4) {
			spec.Channels = append(spec.Channels, PlanChannel{Name: fmt.Sprintf("s%d", i), Members: []string{"b"}, GenesisRequested: r.IntN(2) == 0})
		}
		for i := range r.IntN(4) {
			spec.Lines = append(spec.Lines, PlanLine{
				Name: fmt.Sprint(i), Member: "a", Address: "x", Port: pick[int32](r, 1, 2), LocalAddress: pick(r, "y", "z"), LocalPort: 7, Priority: pick[int32](r, 0, 1, 1),
			})
		}
		spec.Contracts = spec.Contracts[:pick(r, 0, 1, 2, 2)]
		if checkInverse(t, d, spec) {
			split++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if split < 50 {
		t.Errorf("%d of 500 were split", split)
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// FuzzDefinition: no content makes a reader fail other than with an error, and what is read is the same when it is encoded and
// read again.
func FuzzDefinition(f *testing.F) {
	good := sharedDefinition()
	own, _ := good.Split(planWith(good), strings.Repeat("0", 64))
	f.Add(good.Encode().Content, jsonText(MemberPlan{Spec: own}))
	f.Add(`{"channels":[{"name":"b"},{"name":"a"}]}`, `{"spec":{"definition":{"records":["x"]},"channels":[{"name":"a"},{"name":"a"}]}}`)
	f.Fuzz(func(t *testing.T, content, plan string) {
		spec := ConsortiumDefinitionSpec{Digest: contentDigest(content), Content: content}
		d, err := spec.Decode()
		if err != nil {
			return
		}
		encoded := d.Encode()
		again, err := encoded.Decode()
		if err != nil {
			return // escapes can make it larger than it may be
		}
		if twice := again.Encode(); twice.Digest != encoded.Digest {
			t.Errorf("%s, and again %s", encoded.Content, twice.Content)
		}
		var p MemberPlan
		if json.Unmarshal([]byte(plan), &p) != nil || p.Spec.Definition == nil {
			return
		}
		whole, err := again.Join(&p.Spec)
		if err != nil {
			return
		}
		checkInverse(t, again, &whole)
	})
}

func jsonText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
