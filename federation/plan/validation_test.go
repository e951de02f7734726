package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func outOf(count int32, members ...string) *v1alpha1.EndorsementPolicy {
	return &v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: count, Members: members}
}

func rule(r v1alpha1.EndorsementRule) *v1alpha1.EndorsementPolicy {
	return &v1alpha1.EndorsementPolicy{Rule: r}
}

func TestValidate(t *testing.T) {
	conflict := func(namespace string, age time.Duration, member string) func(*Input) {
		return func(in *Input) {
			in.Conflicts = []v1alpha1.Consortium{{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "trade", CreationTimestamp: metav1.NewTime(epoch.Add(-age))},
				Spec:       v1alpha1.ConsortiumSpec{Members: []v1alpha1.ConsortiumMember{org(member, 1, 1)}},
			}}
		}
	}
	onConsortium := func(r Result) ValidationResult { return r.Consortium }
	onChannel := func(r Result) ValidationResult { return r.Channels["deals"] }
	onContract := func(r Result) ValidationResult { return r.Contracts["notary"] }
	for _, c := range []struct {
		why    string
		change func(*Input)
		of     func(Result) ValidationResult
		reason string
		says   string
	}{
		{"a valid consortium", func(*Input) {}, onConsortium, v1alpha1.ReasonAccepted, ""},
		{"a valid channel", func(*Input) {}, onChannel, v1alpha1.ReasonAccepted, ""},
		{"a valid contract", func(*Input) {}, onContract, v1alpha1.ReasonAccepted, ""},
		{"a member that does not exist", func(in *Input) { delete(in.Members, "b") }, onConsortium, v1alpha1.ReasonNotFound, "there is no Member b: create it"},
		{"a member without a root has not registered, and is waited for", func(in *Input) { in.Members["b"].Status.Root = "" }, onConsortium, v1alpha1.ReasonAccepted, ""},
		{"two members whose chosen MSP IDs are the same", func(in *Input) {
			in.Members["b"].Spec.MSPID, in.Members["c"].Spec.MSPID = "Org", "Org"
		}, onConsortium, v1alpha1.ReasonNameTaken, "members b and c have the same MSP ID, Org"},
		{"one has chosen what is another's by default", func(in *Input) { in.Members["b"].Spec.MSPID = "cMSP" }, onConsortium, v1alpha1.ReasonNameTaken, "cMSP"},
		{"MSP IDs of which each is another one", func(in *Input) { in.Members["b"].Spec.MSPID = "Org2MSP" }, onConsortium, v1alpha1.ReasonAccepted, ""},
		{"an older consortium has the name and shares a member", conflict("other", time.Hour, "b"), onConsortium, v1alpha1.ReasonNameTaken, "older consortium trade of namespace other"},
		{"a younger one does not conflict", conflict("other", -time.Hour, "b"), onConsortium, v1alpha1.ReasonAccepted, ""},
		{"an older one of others has the name: they share the namespace for statements", conflict("other", time.Hour, "z"), onConsortium, v1alpha1.ReasonNameTaken, "an older consortium of another namespace has this name"},
		{"of two of the same second the first namespace wins", conflict("alpha", 0, "b"), onConsortium, v1alpha1.ReasonNameTaken, "namespace alpha"},
		{"a channel member that is not in the consortium", func(in *Input) { in.Channels[0].Spec.Members = []string{"a", "z"} }, onChannel, v1alpha1.ReasonInvalid, "z is not a member of consortium trade"},
		{"endorsement by others than members", func(in *Input) { in.Channels[0].Spec.Endorsement = outOf(1, "z") }, onChannel, v1alpha1.ReasonInvalid, "names z"},
		{"endorsement by members of the consortium but not of the channel", func(in *Input) {
			in.Channels[0].Spec.Members = []string{"a"}
			in.Channels[0].Spec.Endorsement = outOf(1, "b")
		}, onChannel, v1alpha1.ReasonInvalid, "names b"},
		{"all endorse, but one has no peer", func(in *Input) {
			in.Consortium.Spec.Members[1].Peers = ptr.To[int32](0)
			in.Channels[0].Spec.Endorsement = rule(v1alpha1.EndorseAll)
		}, onChannel, v1alpha1.ReasonInvalid, "asks for 3 members, but only 2"},
		{"most endorse, and most have peers", func(in *Input) { in.Consortium.Spec.Members[1].Peers = ptr.To[int32](0) }, onChannel, v1alpha1.ReasonAccepted, ""},
		{"most endorse, but most have no peers", func(in *Input) {
			in.Consortium.Spec.Members[1].Peers = ptr.To[int32](0)
			in.Consortium.Spec.Members[2].Peers = ptr.To[int32](0)
		}, onChannel, v1alpha1.ReasonInvalid, "never be met"},
		{"one endorses, but it has no peer", func(in *Input) {
			in.Consortium.Spec.Members[1].Peers = ptr.To[int32](0)
			in.Channels[0].Spec.Endorsement = outOf(1, "b")
		}, onChannel, v1alpha1.ReasonInvalid, "never be met"},
		{"blocks cut at more than they may have", func(in *Input) {
			in.Channels[0].Spec.Batch = &v1alpha1.Batch{AbsoluteMaxBytes: ptr.To(resource.MustParse("1Mi")), PreferredMaxBytes: ptr.To(resource.MustParse("2Mi"))}
		}, onChannel, v1alpha1.ReasonInvalid, "larger than batch.absoluteMaxBytes"},
		{"a small block lowers the default at which it is cut", func(in *Input) {
			in.Channels[0].Spec.Batch = &v1alpha1.Batch{AbsoluteMaxBytes: ptr.To(resource.MustParse("1Mi"))}
		}, onChannel, v1alpha1.ReasonAccepted, ""},
		{"a block of no size", func(in *Input) {
			in.Channels[0].Spec.Batch = &v1alpha1.Batch{AbsoluteMaxBytes: ptr.To(resource.MustParse("0"))}
		}, onChannel, v1alpha1.ReasonInvalid, "greater than 0"},
		{"a negative time", func(in *Input) {
			in.Channels[0].Spec.Batch = &v1alpha1.Batch{Timeout: &metav1.Duration{Duration: -time.Second}}
		}, onChannel, v1alpha1.ReasonInvalid, "batch.timeout"},
		{"a contract on an unknown channel", func(in *Input) { in.Contracts[0].Spec.Channel = "none" }, onContract, v1alpha1.ReasonNotFound, "there is no Channel none in namespace tenant"},
		{"a contract on an invalid channel", func(in *Input) { in.Channels[0].Spec.Members = []string{"z"} }, onContract, v1alpha1.ReasonInvalid, "channel deals is not accepted"},
		{"a contract endorsed by others than members", func(in *Input) { in.Contracts[0].Spec.Endorsement = outOf(1, "z") }, onContract, v1alpha1.ReasonInvalid, "names z"},
		{"a contract under a node's name", func(in *Input) {
			in.Channels = append(in.Channels, channel("peer0"))
			in.Contracts = []v1alpha1.Contract{contract("a", "peer0")}
		}, func(r Result) ValidationResult { return r.Contracts["a"] }, v1alpha1.ReasonNameTaken, "node peer0-a"},
		{"two contracts with the same workload name: the younger is not accepted", func(in *Input) {
			in.Channels = append(in.Channels, channel("deals-x"))
			older, younger := contract("x-notary", "deals"), contract("notary", "deals-x")
			younger.CreationTimestamp = metav1.NewTime(epoch.Add(time.Hour))
			in.Contracts = []v1alpha1.Contract{younger, older}
		}, onContract, v1alpha1.ReasonNameTaken, "contract x-notary uses already"},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := input(org("a", 1, 1), org("b", 1, 1), org("c", 1, 1))
			c.change(&in)
			got := c.of(Compute(in))
			if got.Reason != c.reason || !strings.Contains(got.Message, c.says) || got.Accepted != (c.reason == v1alpha1.ReasonAccepted) {
				t.Errorf("got %+v, want %s with %q", got, c.reason, c.says)
			}
		})
	}
}

func TestValidateLine(t *testing.T) {
	line := &v1alpha1.Line{Spec: v1alpha1.LineSpec{Ends: []v1alpha1.LineEnd{{Member: "b"}, {Member: "a"}}}}
	if f := ValidateLine(line, nil, func(string) bool { return true }); !f.Accepted {
		t.Errorf("both ends exist: %+v", f)
	}
	if f := ValidateLine(line, nil, func(string) bool { return false }); f.Accepted || !strings.Contains(f.Message, "no Member a, b") {
		t.Errorf("no end exists: %+v", f)
	}
}

func TestDuplicateLines(t *testing.T) {
	line := func(name string, age time.Duration, a, b v1alpha1.LineEnd) v1alpha1.Line {
		return v1alpha1.Line{
			ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(epoch.Add(-age))},
			Spec:       v1alpha1.LineSpec{Ends: []v1alpha1.LineEnd{a, b}},
		}
	}
	a, b := v1alpha1.LineEnd{Member: "a", Address: "192.0.2.1"}, v1alpha1.LineEnd{Member: "b", Address: "GW.example"}
	leaving := line("first", time.Hour, a, b)
	leaving.DeletionTimestamp = &metav1.Time{Time: epoch}
	for _, c := range []struct {
		why   string
		other v1alpha1.Line
		taken bool
	}{
		{"an older line over the same two addresses", line("first", time.Hour, a, b), true},
		{"its ends the other way round, written otherwise", line("first", time.Hour, v1alpha1.LineEnd{Member: "b", Address: "gw.EXAMPLE", Port: 7443}, v1alpha1.LineEnd{Member: "a", Address: "::ffff:192.0.2.1"}), true},
		{"the same addresses under other names of Members", line("first", time.Hour, v1alpha1.LineEnd{Member: "c", Address: "192.0.2.1"}, v1alpha1.LineEnd{Member: "d", Address: "gw.example"}), true},
		{"a younger one, which is not accepted itself", line("younger", -time.Hour, a, b), false},
		{"one of the same second, later by name", line("z", 0, a, b), false},
		{"another port at one end", line("first", time.Hour, a, v1alpha1.LineEnd{Member: "b", Address: "gw.example", Port: 443}), false},
		{"one that is being deleted", leaving, false},
	} {
		t.Run(c.why, func(t *testing.T) {
			own := line("line", 0, a, b)
			all := []v1alpha1.Line{own, c.other}
			validation := ValidateLine(&own, all, func(string) bool { return true })
			if validation.Accepted == c.taken || (c.taken && validation.Reason != v1alpha1.ReasonAddressTaken) {
				t.Errorf("got %+v", validation)
			}
			planned := slices.ContainsFunc(validLines(all), func(l *v1alpha1.Line) bool { return l.Name == "line" })
			if planned == c.taken {
				t.Errorf("planned: %v", planned)
			}
		})
	}
}

// TestDuplicateNamesTheOldest: of several lines between the same addresses, each names the accepted one, in whatever order
// they are listed.
func TestDuplicateNamesTheOldest(t *testing.T) {
	line := func(name string, age time.Duration) v1alpha1.Line {
		return v1alpha1.Line{
			ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(epoch.Add(-age))},
			Spec:       v1alpha1.LineSpec{Ends: []v1alpha1.LineEnd{{Member: "a", Address: "192.0.2.1"}, {Member: "b", Address: "192.0.2.2"}}},
		}
	}
	lines := []v1alpha1.Line{line("later", time.Hour), line("owner", 2*time.Hour), line("last", 0)}
	for range 2 {
		for i := range lines {
			validation := ValidateLine(&lines[i], lines, func(string) bool { return true })
			if owner := lines[i].Name == "owner"; validation.Accepted != owner || (!owner && !strings.Contains(validation.Message, "line owner ")) {
				t.Errorf("%s: %+v", lines[i].Name, validation)
			}
		}
		slices.Reverse(lines)
	}
}
