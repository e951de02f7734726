package membership

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	statuses "github.com/hanse-io/hanse/federation/status"
)

const (
	// credentialGrace is how long a registered agent may still use its invitation to fetch its certificate.
	credentialGrace = 2 * time.Minute
	// minCredentialGrace is how long it may even if there is a Lease. The API has whole seconds: a Lease created in the second
	// of the registration may be the previous agent's, and the new one could not fetch its certificate.
	minCredentialGrace = 10 * time.Second
)

// invitationOpen is whether an invitation's ServiceAccount is to exist, and until when; zero means until the next event.
// leaseCreated is when the Member's Lease was created: an agent that has created one since its registration has its
// certificate.
func invitationOpen(member *v1alpha1.Member, leaseCreated, now time.Time) (open bool, until time.Time) {
	spec, registration := member.Spec, member.Status.Registration
	if spec.Invitation == "" || !member.Undecodable.InStatus() {
		return false, time.Time{}
	}
	if isUsed(member) {
		until = registration.Time.Add(credentialGrace)
		if !leaseCreated.Before(registration.Time.Time) {
			until = registration.Time.Add(minCredentialGrace)
		}
		return now.Before(until), until
	}
	if spec.InvitationExpires == nil {
		return true, time.Time{}
	}
	return now.Before(spec.InvitationExpires.Time), spec.InvitationExpires.Time
}

// isUsed is whether an agent has been registered with the declared invitation.
func isUsed(member *v1alpha1.Member) bool {
	registration := member.Status.Registration
	return registration != nil && registration.Invitation == member.Spec.Invitation
}

// expired is whether an invitation has expired. One whose expiry cannot be decoded has.
func expired(member *v1alpha1.Member, now time.Time) bool {
	return !member.Undecodable.InStatus() || member.Spec.InvitationExpires != nil && !now.Before(member.Spec.InvitationExpires.Time)
}

// registered is the outcome of the condition Registered. Pure.
func registered(member *v1alpha1.Member, now time.Time) statuses.Outcome {
	invite := fmt.Sprintf("make an invitation with: kubectl hanse invite %s", member.Name)
	registration := member.Status.Registration
	switch {
	case registration != nil:
		return statuses.Outcome{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRegistered,
			Message: "the agent with the key " + registration.KeyFingerprint + " holds the member's credential"}
	case member.Spec.Invitation == "":
		return statuses.Outcome{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonWaiting, Message: "nobody has been invited: " + invite}
	case expired(member, now):
		return statuses.Outcome{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonInvitationExpired,
			Message: "the invitation has expired: " + invite}
	}
	return statuses.Outcome{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonInvited, Message: "the invitation has not been used yet"}
}
