package v1alpha1

// Names by which a Member's agent is known on the host.
const (
	// MembersGroup is the group (the certificate's organization) of every Member's credential.
	MembersGroup = "hanse:members"
	// AgentLease is the Lease in the Member's namespace that its agent renews.
	AgentLease = "member-agent"
	// InviteServiceAccount is the ServiceAccount in the Member's namespace with which an invited agent asks for its
	// credential. It exists only while an invitation stands.
	InviteServiceAccount = "invite"
	// RequestPrefix begins the name of every CertificateSigningRequest of an agent; the Member's name follows.
	RequestPrefix = "hanse-member-"
	// MaxCredentialSeconds is the longest life that an agent may ask for its credential: seven days.
	MaxCredentialSeconds = 7 * 24 * 60 * 60
)

// MemberUser is the user name (the certificate's common name) of a Member's credential on the host.
func MemberUser(member string) string { return "hanse:member:" + member }

// InviteUser is the user name of a Member's invite ServiceAccount.
func InviteUser(member string) string {
	return "system:serviceaccount:" + MemberNamespace(member) + ":" + InviteServiceAccount
}
