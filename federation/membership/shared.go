package membership

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/fold"
)

const (
	// mostTurns is how often a holder of the Lease that was replaced may come back before that counts as two agents. A
	// replica that is being stopped may renew once more after the next one has begun.
	mostTurns = 3
	// mostHolders is how many former holders of a Lease are remembered.
	mostHolders = 16
)

// holders are those who have renewed a Lease, one after the other. Every start of an agent is another holder, and one that
// was replaced does not come back, unless two live at the same time.
type holders struct {
	current string
	former  []string
	returns int
}

// next is what there is to remember after a renewal. It changes nothing itself.
func (h holders) next(holder string) holders {
	if holder == "" || holder == h.current {
		return h
	}
	if slices.Contains(h.former, holder) {
		h.returns++
	}
	if h.current != "" && !slices.Contains(h.former, h.current) {
		h.former = append(slices.Clone(h.former), h.current)
		h.former = h.former[max(0, len(h.former)-mostHolders):]
	}
	h.current = holder
	return h
}

func (h holders) byTurns() bool { return h.returns >= mostTurns }

// shared is the verdict on the condition CredentialShared. An alarm stays until another agent has been admitted. Pure.
func shared(member *v1alpha1.Member, byTurns bool) fold.Verdict {
	one := fold.Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonOneAgent, Message: "nothing shows that the agent's key has another user"}
	registration, agent := member.Status.Registration, member.Status.Agent
	if registration == nil {
		return one
	}
	before := meta.FindStatusCondition(member.Status.Conditions, v1alpha1.MemberCredentialShared)
	if before != nil && before.Status == metav1.ConditionTrue && strings.Contains(before.Message, theKey(registration)) {
		return fold.Verdict{Status: before.Status, Reason: before.Reason, Message: before.Message}
	}
	if byTurns {
		return alarm(member, "two agents renew its Lease by turns")
	}
	unknown := 0
	for _, request := range registration.Requests {
		if !slices.Contains(agent.Requests, request) {
			unknown++
		}
	}
	// An agent reports its key together with the request of its registration, and every later request before it makes it.
	if unknown == 0 || agent.KeyFingerprint != registration.KeyFingerprint {
		return one
	}
	return alarm(member, fmt.Sprintf("%d of the last credentials for its key were not asked for by its agent (the last one was issued at %s)",
		unknown, registration.LastIssued.UTC().Format(time.RFC3339)))
}

func alarm(member *v1alpha1.Member, what string) fold.Verdict {
	return fold.Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCredentialShared, Message: fmt.Sprintf(
		"somebody else uses %s of member %s's agent: %s; tell the organization, find out how the key got out, and end it: kubectl hanse invite %s --replace",
		theKey(member.Status.Registration), member.Name, what, member.Name)}
}

// theKey names the key that an alarm is about, so that it is known to be about this one later.
func theKey(r *v1alpha1.MemberRegistration) string {
	return fmt.Sprintf("the key %.16s", r.KeyFingerprint)
}
