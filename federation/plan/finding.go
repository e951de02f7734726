package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Finding says whether an object is sound together with the others that it names. It becomes the condition Accepted.
type Finding struct {
	Accepted bool
	Reason   string
	// Message says what is wrong and how to mend it.
	Message string
}

func accepted() Finding {
	return Finding{Accepted: true, Reason: v1alpha1.ReasonAccepted, Message: "the specification is sound"}
}

func refused(reason, format string, args ...any) Finding {
	return Finding{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// UnknownConsortium is the finding on a channel whose Consortium does not exist.
func UnknownConsortium(channel *v1alpha1.Channel) Finding {
	return refused(v1alpha1.ReasonNotFound, "there is no Consortium %s in namespace %s: create it, or declare the channel with another consortium",
		channel.Spec.Consortium, channel.Namespace)
}

// UnknownChannel is the finding on a contract whose Channel does not exist.
func UnknownChannel(contract *v1alpha1.Contract) Finding {
	return refused(v1alpha1.ReasonNotFound, "there is no Channel %s in namespace %s: create it, or declare the contract on another channel",
		contract.Spec.Channel, contract.Namespace)
}

// JudgeLine says whether a line joins two Members that exist, over a pair of addresses that is no older line's.
func JudgeLine(line *v1alpha1.Line, others []v1alpha1.Line, exists func(member string) bool) Finding {
	if finding, ok := undecodable(line.Undecodable); !ok {
		return finding
	}
	var missing []string
	for _, end := range line.Spec.Ends {
		if !exists(end.Member) {
			missing = append(missing, end.Member)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return refused(v1alpha1.ReasonNotFound, "the line leads nowhere: there is no Member %s; create it, or correct spec.ends", strings.Join(missing, ", "))
	}
	if other := olderTwin(line, others); other != "" {
		return refused(v1alpha1.ReasonAddressTaken, "line %s leads between the same two addresses already, and one road cannot be two lines: delete one of them, or correct spec.ends",
			other)
	}
	return accepted()
}

// judgeConsortium says whether a Consortium can be planned. A Member that has not registered yet is no reason to refuse:
// it is waited for. One that does not exist is, for nobody knows where its plan would go.
func judgeConsortium(in Input) Finding {
	if finding, ok := undecodable(in.Consortium.Undecodable); !ok {
		return finding
	}
	var missing []string
	for _, m := range in.Consortium.Spec.Members {
		if in.Members[m.Name] == nil {
			missing = append(missing, m.Name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return refused(v1alpha1.ReasonNotFound, "there is no Member %s: create it, or correct the name in spec.members", strings.Join(missing, ", "))
	}
	for _, m := range in.Consortium.Spec.Members {
		if finding := JudgeMember(in.Members[m.Name]); !finding.Accepted {
			return refused(finding.Reason, "Member %s: %s", m.Name, finding.Message)
		}
	}
	if finding := judgeMSPIDs(in); !finding.Accepted {
		return finding
	}
	if rival, member := oldestRival(in); rival != nil {
		return refused(v1alpha1.ReasonNameTaken, "member %s already takes part in the older consortium %s of namespace %s, and a name can be used once in a member's cluster: declare this one under another name",
			member, rival.Name, rival.Namespace)
	}
	return accepted()
}

// oldestRival is the oldest Consortium of the same name that shares a Member with this one and is older than it, and that
// Member; nil if there is none.
func oldestRival(in Input) (rival *v1alpha1.Consortium, member string) {
	for i := range in.Rivals {
		other := &in.Rivals[i]
		if other.Namespace == in.Consortium.Namespace || !older(other, cmp.Or(rival, in.Consortium)) {
			continue
		}
		shared := slices.IndexFunc(in.Consortium.Spec.Members, func(m v1alpha1.ConsortiumMember) bool { return isMember(other, m.Name) })
		if shared >= 0 {
			rival, member = other, in.Consortium.Spec.Members[shared].Name
		}
	}
	return rival, member
}

// judgeMSPIDs says whether the ledger can tell the Members of a Consortium apart.
func judgeMSPIDs(in Input) Finding {
	taken := map[string]string{}
	for _, m := range in.Consortium.Spec.Members {
		id := mspID(in, m.Name)
		if other, ok := taken[id]; ok {
			return refused(v1alpha1.ReasonNameTaken, "members %s and %s have the same MSP ID, %s, and a ledger tells organizations apart by it: declare one of them as another Member with an MSP ID of its own (kubectl hanse invite NAME --msp-id ID)",
				other, m.Name, id)
		}
		taken[id] = m.Name
	}
	return accepted()
}

// older is whether one Consortium was there before another; of two made in the same second, the first by namespace.
func older(a, b *v1alpha1.Consortium) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Namespace < b.Namespace
}

// judgeChannel says whether a channel fits its Consortium.
func judgeChannel(in Input, channel *v1alpha1.Channel) Finding {
	if finding, ok := undecodable(channel.Undecodable); !ok {
		return finding
	}
	consortium := in.Consortium
	var strangers []string
	for _, name := range channel.Spec.Members {
		if !isMember(consortium, name) {
			strangers = append(strangers, name)
		}
	}
	if len(strangers) > 0 {
		slices.Sort(strangers)
		return refused(v1alpha1.ReasonInvalid, "%s is not a member of consortium %s: declare the channel among the consortium's members",
			strings.Join(strangers, ", "), consortium.Name)
	}
	members := channelMembers(consortium, channel)
	if problem := judgeEndorsement(in, resolveEndorsement(channel.Spec.Endorsement), members); problem != "" {
		return refused(v1alpha1.ReasonInvalid, "%s", problem)
	}
	if problem := judgeBatch(channel.Spec.Batch); problem != "" {
		return refused(v1alpha1.ReasonInvalid, "%s", problem)
	}
	return accepted()
}

func judgeBatch(batch *v1alpha1.Batch) string {
	b := resolveBatch(batch)
	switch {
	case b.AbsoluteMaxBytes.Sign() <= 0 || b.PreferredMaxBytes.Sign() <= 0:
		return "batch.absoluteMaxBytes and batch.preferredMaxBytes have to be more than nothing: give a size such as 2Mi"
	case b.PreferredMaxBytes.Cmp(*b.AbsoluteMaxBytes) > 0:
		return "batch.preferredMaxBytes is larger than batch.absoluteMaxBytes, which no block may exceed: lower the one or raise the other"
	case b.Timeout.Duration <= 0:
		return "batch.timeout has to be more than nothing: give a time such as 500ms"
	}
	return ""
}

func runsPeers(consortium *v1alpha1.Consortium, name string) bool {
	return slices.ContainsFunc(consortium.Spec.Members, func(m v1alpha1.ConsortiumMember) bool {
		return m.Name == name && Peers(&m) > 0
	})
}
