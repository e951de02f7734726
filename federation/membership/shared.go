package membership

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	statuses "github.com/hanse-io/hanse/federation/status"
)

const (
	// maxReturns is how many renewals by former holders of the Lease count as two agents. A replica that is being stopped may
	// renew once more after the next one has started.
	maxReturns = 3
	// maxHolders is how many former holders of a Lease are remembered.
	maxHolders = 16
)

// holders are the holders of a Lease, in order. Every start of an agent has a new holder identity, and a former one does not
// return, unless two agents run at the same time.
type holders struct {
	current string
	former  []string
	returns int
}

// next is the state after a renewal. It does not modify h.
func (h holders) next(holder string) holders {
	if holder == "" || holder == h.current {
		return h
	}
	if slices.Contains(h.former, holder) {
		h.returns++
	}
	if h.current != "" && !slices.Contains(h.former, h.current) {
		h.former = append(slices.Clone(h.former), h.current)
		h.former = h.former[max(0, len(h.former)-maxHolders):]
	}
	h.current = holder
	return h
}

func (h holders) alternate() bool { return h.returns >= maxReturns }

// shared is the outcome of the condition CredentialShared. It stays True until another agent is registered. Pure.
func shared(member *v1alpha1.Member, alternate bool) statuses.Outcome {
	one := statuses.Outcome{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonOneAgent, Message: "no sign that the agent's key is used by anybody else"}
	registration, agent := member.Status.Registration, member.Status.Agent
	if registration == nil {
		return one
	}
	before := meta.FindStatusCondition(member.Status.Conditions, v1alpha1.MemberCredentialShared)
	if before != nil && before.Status == metav1.ConditionTrue && strings.Contains(before.Message, keyLabel(registration)) {
		return statuses.Outcome{Status: before.Status, Reason: before.Reason, Message: before.Message}
	}
	if alternate {
		return alarm(member, "two agents renew its Lease alternately")
	}
	unknown := 0
	for _, request := range registration.Requests {
		if !slices.Contains(agent.Requests, request) {
			unknown++
		}
	}
	// An agent reports its key together with the request of its registration, and every later request before it sends it.
	if unknown == 0 || agent.KeyFingerprint != registration.KeyFingerprint {
		return one
	}
	return alarm(member, fmt.Sprintf("%d of the last credentials for its key were not requested by its agent (the last one was issued at %s)",
		unknown, registration.LastIssued.UTC().Format(time.RFC3339)))
}

func alarm(member *v1alpha1.Member, what string) statuses.Outcome {
	return statuses.Outcome{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCredentialShared, Message: fmt.Sprintf(
		"somebody else uses %s of member %s's agent: %s; tell the organization, find out how the key leaked, and revoke it: kubectl hanse invite %s --replace",
		keyLabel(member.Status.Registration), member.Name, what, member.Name)}
}

// keyLabel identifies the key in the message, so that a later reconcile knows that the alarm is about this key.
func keyLabel(r *v1alpha1.MemberRegistration) string {
	return fmt.Sprintf("the key %.16s", r.KeyFingerprint)
}
