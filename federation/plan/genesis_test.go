package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func hashOf(block string) string {
	sum := sha256.Sum256([]byte(block))
	return hex.EncodeToString(sum[:])
}

// reports lets a member report that it holds a channel's block, and optionally publish it.
func reports(in Input, member, channel, block string, publishes bool) {
	status := v1alpha1.PlanChannelStatus{Name: channel, GenesisHash: hashOf(block)}
	if publishes {
		status.Genesis = []byte(block)
	}
	p := in.Plans[member]
	p.Status.Channels = slices.DeleteFunc(p.Status.Channels, func(c v1alpha1.PlanChannelStatus) bool { return c.Name == channel })
	p.Status.Channels = append(p.Status.Channels, status)
}

// TestGenesis checks whose first block is distributed, to whom, and from whom it is requested.
func TestGenesis(t *testing.T) {
	const first, second = "first", "second"
	// made is a channel whose first block every member holds.
	made := func(in Input) {
		for name, p := range in.Plans {
			p.Spec.Channels[0].GenesisHash = hashOf(first)
			reports(in, name, "deals", first, false)
		}
	}
	lost := func(in Input, member string) { in.Plans[member].Status.Channels = nil }
	for _, c := range []struct {
		why    string
		change func(Input)
		// hash in every plan, to whom the block goes, and who is asked for it.
		hash, to, asked string
	}{
		{"none has been made", func(Input) {}, "", "", ""},
		{"the leader has made it", func(in Input) { reports(in, "a", "deals", first, true) }, first, "b c", ""},
		{"another member's is ignored", func(in Input) { reports(in, "b", "deals", first, true) }, "", "", ""},
		{"one holds it already", func(in Input) {
			reports(in, "a", "deals", first, true)
			reports(in, "b", "deals", first, false)
		}, first, "c", ""},
		{"all hold it", made, first, "", ""},
		{"one that is in a plan never changes", func(in Input) { made(in); reports(in, "a", "deals", second, true) }, first, "", ""},
		{"one that holds another one is not given it", func(in Input) {
			reports(in, "a", "deals", first, true)
			reports(in, "b", "deals", second, false)
		}, first, "c", ""},
		{"one has lost it: the leader is asked", func(in Input) { made(in); lost(in, "b") }, first, "", "a"},
		{"the leader has lost it: another one is asked", func(in Input) { made(in); lost(in, "a") }, first, "", "b"},
		{"who was asked has answered", func(in Input) { made(in); lost(in, "a"); reports(in, "b", "deals", first, true) }, first, "a", ""},
		{"a block stays in the plan of one that is away", func(in Input) {
			made(in)
			lost(in, "c")
			in.Plans["c"].Spec.Channels[0].Genesis = []byte(first)
		}, first, "c", ""},
		{"one that is too large is not distributed", func(in Input) {
			reports(in, "a", "deals", first, true)
			in.Plans["a"].Status.Channels[0].Genesis = make([]byte, v1alpha1.MaxGenesisBytes+1)
		}, first, "", "a"},
		{"an invalid hash is not distributed", func(in Input) {
			reports(in, "a", "deals", first, true)
			in.Plans["a"].Status.Channels[0].GenesisHash = strings.Repeat("Z", 64)
		}, "", "", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := writePlans(input(org("a", 1, 1), org("b", 1, 1), org("c", 1, 1)))
			c.change(in)
			plans := Compute(in).Plans
			var to, asked []string
			for _, member := range []string{"a", "b", "c"} {
				got := plans[member].Channels[0]
				if c.hash == "" && got.GenesisHash != "" || c.hash != "" && got.GenesisHash != hashOf(c.hash) {
					t.Errorf("%s: the hash is %q", member, got.GenesisHash)
				}
				if len(got.Genesis) > 0 {
					to = append(to, member)
				}
				if got.GenesisRequested {
					asked = append(asked, member)
				}
			}
			if strings.Join(to, " ") != c.to || strings.Join(asked, " ") != c.asked {
				t.Errorf("goes to %v, is asked of %v", to, asked)
			}
		})
	}
}

// large is a consortium of 64 members with 256 channels among all of them and a contract on each.
func large(name func(i int) string) Input {
	var members []v1alpha1.ConsortiumMember
	for i := range 64 {
		members = append(members, org(name(i), 1, 1))
	}
	in := input(members...)
	in.Channels, in.Contracts = nil, nil
	for i := range 256 {
		channel := fmt.Sprintf("channel-%03d", i)
		in.Channels = append(in.Channels, v1alpha1.Channel{
			ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: channel, CreationTimestamp: metav1.NewTime(epoch.Add(time.Duration(i) * time.Second))},
			Spec:       v1alpha1.ChannelSpec{Consortium: "trade"},
		})
		in.Contracts = append(in.Contracts, contract(fmt.Sprintf("contract-%03d", i), channel))
	}
	for _, member := range in.Members {
		member.Status.Root = strings.Repeat("r", 800)
	}
	return in
}

// largest is the size of the largest plan, in bytes of JSON.
func largest(t *testing.T, res Result) int {
	t.Helper()
	most := 0
	for _, p := range res.Plans {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, len(text))
	}
	return most
}

// TestLargestPlan adds the last 8 of 256 channels among 64 members, with first blocks of a realistic size, and measures the
// plans at each step. Agents publish two blocks at a time; one member is not online.
func TestLargestPlan(t *testing.T) {
	in := large(func(i int) string { return fmt.Sprintf("organization%02d", i) })
	in = writePlans(in)
	away, leader := "organization63", "organization00"
	block := bytes.Repeat([]byte{'x'}, 72<<10) // see TestLargestGenesis in ledger/fabric
	for _, p := range in.Plans {
		p.Status.Record = &v1alpha1.SignedRecord{Payload: make([]byte, 30<<10), Certificates: strings.Repeat("c", 1<<10)}
	}
	most, held := 0, map[string]bool{}
	for member, p := range in.Plans {
		for i := range p.Spec.Channels[:248] {
			c := &p.Spec.Channels[i]
			c.GenesisHash = hashOf(c.Name)
			held[member+"/"+c.Name] = member != away
			if held[member+"/"+c.Name] {
				reports(in, member, c.Name, c.Name, false)
			}
		}
	}
	for round := range 40 {
		res := Compute(in)
		most = max(most, size(res.Plans[away]), size(res.Plans["organization05"]))
		if n := len(res.Plans[away].Channels); n != 256 || len(res.Plans[away].Contracts) != 256 {
			t.Fatalf("%d channels in the plan: %+v", n, res.Channels["channel-255"])
		}
		done := true
		for member, spec := range res.Plans {
			in.Plans[member].Spec = spec
			// Everybody but the leader pins what it is given; the leader makes the blocks, and publishes two at a time.
			room := 2
			var statuses []v1alpha1.PlanChannelStatus
			for _, c := range spec.Channels {
				key, status := member+"/"+c.Name, v1alpha1.PlanChannelStatus{Name: c.Name}
				held[key] = held[key] || member == leader || (member != away && len(c.Genesis) > 0)
				if held[key] {
					status.GenesisHash = hashOf(c.Name)
				}
				if member == leader && room > 0 && (c.GenesisHash == "" || c.GenesisRequested) {
					status.Genesis = block
					room--
				}
				done = done && (held[key] || member == away)
				statuses = append(statuses, status)
			}
			in.Plans[member].Status.Channels = statuses
		}
		if done {
			t.Logf("after %d rounds every online member holds the first blocks of 256 channels; the largest plan had %d bytes", round, most)
			break
		}
		if round == 39 {
			t.Fatal("the first blocks do not all arrive")
		}
	}
	if most > v1alpha1.MaxPlanBytes*3/4 {
		t.Errorf("a plan had %d bytes", most)
	}
	if n := WaitingGenesis(in, away); n == 0 || n == 256 {
		t.Errorf("%d first blocks wait for the member that is away", n)
	}
}

// TestPlanFull has names so long that not everything fits: what is in the plans stays, new objects that do not fit are not
// accepted, and nothing else changes.
func TestPlanFull(t *testing.T) {
	in := large(func(i int) string { return fmt.Sprintf("%s%02d", strings.Repeat("a", 38), i) })
	res := Compute(in)
	accepted := 0
	for i := range in.Channels {
		validation := res.Channels[in.Channels[i].Name]
		if validation.Accepted {
			accepted++
		} else if validation.Reason != v1alpha1.ReasonPlanFull || !strings.Contains(validation.Message, "has no room for this channel") {
			t.Errorf("%+v", validation)
		}
	}
	if accepted < 100 || accepted == 256 || !res.Channels["channel-000"].Accepted {
		t.Fatalf("%d channels were accepted", accepted)
	}
	if size := largest(t, res); size > v1alpha1.MaxPlanBytes*3/4 {
		t.Errorf("a plan has %d bytes", size)
	}
	if validation := res.Contracts["contract-255"]; validation.Accepted {
		t.Error("a contract on a channel that is in no plan was accepted")
	}
	// An older channel that is added does not displace one that is planned already.
	in = writePlans(in)
	older := channel("aaa")
	older.CreationTimestamp = metav1.NewTime(epoch.Add(-time.Hour))
	in.Channels = append(in.Channels, older)
	again := Compute(in)
	for i := range in.Channels {
		if name := in.Channels[i].Name; name != "aaa" && res.Channels[name].Accepted != again.Channels[name].Accepted {
			t.Errorf("channel %s lost its place", name)
		}
	}
}

// TestTooManyChannels has more channels than the CRD lets a plan carry.
func TestTooManyChannels(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 1))
	in.Channels, in.Contracts = nil, nil
	for i := range v1alpha1.MaxPlanChannels + 3 {
		in.Channels = append(in.Channels, channel(fmt.Sprintf("c%03d", i)))
	}
	for i := range v1alpha1.MaxPlanContracts + 3 {
		in.Contracts = append(in.Contracts, contract(fmt.Sprintf("k%03d", i), "c000"))
	}
	p := Compute(in).Plans["a"]
	if len(p.Channels) != v1alpha1.MaxPlanChannels || len(p.Contracts) != v1alpha1.MaxPlanContracts {
		t.Errorf("%d channels and %d contracts", len(p.Channels), len(p.Contracts))
	}
}

// TestRecordsOfLargeConsortium checks that in a large consortium, a change of a record's first blocks does not update the
// plans.
func TestRecordsOfLargeConsortium(t *testing.T) {
	payload := func(sequence int64, port int32, hash string) []byte {
		r := v1alpha1.Record{Member: "m00", Sequence: sequence, Nodes: []v1alpha1.RecordNode{{Name: "peer0-m00", Port: port}}}
		if hash != "" {
			r.Channels = []v1alpha1.RecordChannel{{Name: "deals", GenesisHash: hash}}
		}
		text, _ := json.Marshal(r)
		return text
	}
	for _, row := range []struct {
		why      string
		members  int
		payload  []byte
		followed bool
	}{
		{"few members: the plans show what a record does", 3, payload(2, 7051, "aa"), true},
		{"many members: a first block travels by gossip", 20, payload(2, 7051, "aa"), false},
		{"many members: a fact is followed", 20, payload(2, 7052, "aa"), true},
	} {
		t.Run(row.why, func(t *testing.T) {
			var members []v1alpha1.ConsortiumMember
			for i := range row.members {
				members = append(members, org(fmt.Sprintf("m%02d", i), 1, 1))
			}
			in := writePlans(input(members...))
			in.Plans["m00"].Status.Record = &v1alpha1.SignedRecord{Payload: payload(1, 7051, "")}
			in = writePlans(in)
			in.Plans["m00"].Status.Record = &v1alpha1.SignedRecord{Payload: row.payload}
			got := Compute(in).Plans["m01"].Members[0].Record.Payload
			if followed := bytes.Equal(got, row.payload); followed != row.followed {
				t.Errorf("the plans have %s", got)
			}
		})
	}
}
