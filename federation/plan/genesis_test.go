package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func hashOf(block string) string {
	sum := sha256.Sum256([]byte(block))
	return hex.EncodeToString(sum[:])
}

// reports lets a member report that it holds a channel's block, and the digest of its statement with it if it publishes one.
func reports(in Input, member, channel, block string, publishes bool) {
	status := v1alpha1.PlanChannelStatus{Name: channel, GenesisHash: hashOf(block)}
	if publishes {
		status.Genesis = hashOf(member + "'s statement")
	}
	p := in.Plans[member]
	p.Status.Channels = slices.DeleteFunc(p.Status.Channels, func(c v1alpha1.PlanChannelStatus) bool { return c.Name == channel })
	p.Status.Channels = append(p.Status.Channels, status)
}

// TestGenesis checks to whose statement of a first block the plans refer, in whose plans, and from whom one is requested.
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
	refers := func(in Input, member, to string) {
		in.Plans[member].Spec.Channels[0].Genesis = &v1alpha1.StatementRef{Member: to, Digest: hashOf(to + "'s statement")}
	}
	for _, c := range []struct {
		why    string
		change func(Input)
		// hash in every plan, in whose plans a statement is referred to, whose it is, and who is asked for one.
		hash, to, from, asked string
	}{
		{"none has been made", func(Input) {}, "", "", "", ""},
		{"the leader has made it", func(in Input) { reports(in, "a", "deals", first, true) }, first, "b c", "a", ""},
		{"another member's is ignored", func(in Input) { reports(in, "b", "deals", first, true) }, "", "", "", ""},
		{"one holds it already", func(in Input) {
			reports(in, "a", "deals", first, true)
			reports(in, "b", "deals", first, false)
		}, first, "c", "a", ""},
		{"all hold it", made, first, "", "", ""},
		{"one that is in a plan never changes", func(in Input) { made(in); reports(in, "a", "deals", second, true) }, first, "", "", ""},
		{"one that holds another one is not referred to it", func(in Input) {
			reports(in, "a", "deals", first, true)
			reports(in, "b", "deals", second, false)
		}, first, "c", "a", ""},
		{"one has lost it: the leader is asked", func(in Input) { made(in); lost(in, "b") }, first, "", "", "a"},
		{"the leader has lost it: another one is asked", func(in Input) { made(in); lost(in, "a") }, first, "", "", "b"},
		{"who was asked has answered", func(in Input) { made(in); lost(in, "a"); reports(in, "b", "deals", first, true) }, first, "a", "b", ""},
		{"a reference stays in the plan of one that is away", func(in Input) { made(in); lost(in, "c"); refers(in, "c", "a") }, first, "c", "a", ""},
		{"it is given to another one that has lost the block", func(in Input) {
			made(in)
			lost(in, "b")
			lost(in, "c")
			refers(in, "c", "a")
		}, first, "b c", "a", ""},
		{"one to a member that has lost the block is not used: its statement may be lost too", func(in Input) {
			made(in)
			lost(in, "b")
			lost(in, "c")
			refers(in, "c", "b")
		}, first, "", "", "a"},
		{"one to somebody who is not in the channel is not used", func(in Input) { made(in); lost(in, "c"); refers(in, "c", "z") }, first, "", "", "a"},
		{"the leader's newer statement replaces it", func(in Input) {
			made(in)
			lost(in, "c")
			refers(in, "c", "b")
			reports(in, "a", "deals", first, true)
		}, first, "c", "a", ""},
		{"that of another member, who may have none, does not", func(in Input) {
			made(in)
			lost(in, "c")
			refers(in, "c", "a")
			reports(in, "b", "deals", first, true)
		}, first, "c", "a", ""},
		{"a statement of another block is not referred to", func(in Input) {
			made(in)
			lost(in, "c")
			reports(in, "b", "deals", second, true)
		}, first, "", "", "a"},
		{"what is not a digest is not referred to", func(in Input) {
			reports(in, "a", "deals", first, true)
			in.Plans["a"].Status.Channels[0].Genesis = "digest"
		}, first, "", "", "a"},
		{"an invalid hash is not distributed", func(in Input) {
			reports(in, "a", "deals", first, true)
			in.Plans["a"].Status.Channels[0].GenesisHash = strings.Repeat("Z", 64)
		}, "", "", "", ""},
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
				if got.Genesis != nil {
					to = append(to, member)
					if *got.Genesis != (v1alpha1.StatementRef{Member: c.from, Digest: hashOf(c.from + "'s statement")}) {
						t.Errorf("%s is referred to %+v", member, *got.Genesis)
					}
				}
				if got.GenesisRequested {
					asked = append(asked, member)
				}
			}
			if strings.Join(to, " ") != c.to || strings.Join(asked, " ") != c.asked {
				t.Errorf("in the plans of %v, is asked of %v", to, asked)
			}
		})
	}
}
