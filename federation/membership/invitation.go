package membership

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/fold"
)

const (
	// collectTime is how long an agent that has been admitted may still use its invitation to collect its credential.
	collectTime = 2 * time.Minute
	// collectLeast is how long it may in any case. The API keeps whole seconds: a Lease that was made in the second of the
	// admission may be that of the agent before, and the new one would be shut out for good.
	collectLeast = 10 * time.Second
)

// door says whether an invitation's ServiceAccount is to exist, and when to look again; zero means at the next event.
// heard is when the Member's Lease was made: an agent that has made one since it was admitted holds its credential.
func door(member *v1alpha1.Member, heard, now time.Time) (open bool, until time.Time) {
	spec, registration := member.Spec, member.Status.Registration
	if spec.Invitation == "" || !member.Undecodable.InStatus() {
		return false, time.Time{}
	}
	if usedUp(member) {
		until = registration.Time.Add(collectTime)
		if !heard.Before(registration.Time.Time) {
			until = registration.Time.Add(collectLeast)
		}
		return now.Before(until), until
	}
	if spec.InvitationExpires == nil {
		return true, time.Time{}
	}
	return now.Before(spec.InvitationExpires.Time), spec.InvitationExpires.Time
}

// usedUp is whether an agent has been admitted by the invitation that is declared.
func usedUp(member *v1alpha1.Member) bool {
	registration := member.Status.Registration
	return registration != nil && registration.Invitation == member.Spec.Invitation
}

// expired is whether an invitation has run out. One whose end cannot be read has.
func expired(member *v1alpha1.Member, now time.Time) bool {
	return !member.Undecodable.InStatus() || member.Spec.InvitationExpires != nil && !now.Before(member.Spec.InvitationExpires.Time)
}

// registered is the verdict on the condition Registered. Pure.
func registered(member *v1alpha1.Member, now time.Time) fold.Verdict {
	invite := fmt.Sprintf("make an invitation with: kubectl hanse invite %s", member.Name)
	registration := member.Status.Registration
	switch {
	case registration != nil:
		return fold.Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRegistered,
			Message: "the agent with the key " + registration.KeyFingerprint + " holds the member's credential"}
	case member.Spec.Invitation == "":
		return fold.Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonWaiting, Message: "nobody has been invited: " + invite}
	case expired(member, now):
		return fold.Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonInvitationExpired,
			Message: "the invitation has run out: " + invite}
	}
	return fold.Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonInvited, Message: "the invitation has not been taken up yet"}
}
