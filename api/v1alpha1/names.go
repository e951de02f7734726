package v1alpha1

// Names by which a Member's agent is known on the host.
const (
	// MembersGroup is the group (the certificate's organization) of every Member's credential.
	MembersGroup = "hanse:members"
	// AgentLease is the Lease in the Member's namespace that its agent renews.
	AgentLease = "member-agent"
	// InviteServiceAccount is the ServiceAccount in the Member's namespace with which an invited agent requests its
	// credential. It exists only while an invitation is open.
	InviteServiceAccount = "invite"
	// RequestPrefix begins the name of every CertificateSigningRequest of an agent; see RequestNames.
	RequestPrefix = "hanse-member-"
	// MaxCredentialSeconds is the longest validity of an agent's credential: seven days.
	MaxCredentialSeconds = 7 * 24 * 60 * 60
)

// MemberUser begins the user name (the certificate's common name) of a Member's credential on the host; see MemberKeyUser.
func MemberUser(member string) string { return "hanse:member:" + member }

// MemberKeyUser is the user name of a Member's credential for one key. RBAC grants access to the key that was
// registered last only: a credential that was replaced loses its access at once.
func MemberKeyUser(member, fingerprint string) string {
	// A common name has 64 characters at the most, a Member's name 40.
	return MemberUser(member) + ":" + fingerprint[:min(len(fingerprint), 10)]
}

// RequestName is the name of the CertificateSigningRequest for a key, by its fingerprint. It is one of RequestNames.
func RequestName(member, fingerprint string) string {
	return RequestPrefix + member + "-" + fingerprint[:min(len(fingerprint), 1)]
}

// RequestNames are the names that a Member's requests for credentials may have, one for each first digit of a fingerprint:
// they are few and known in advance, so that RBAC can restrict an agent to them.
func RequestNames(member string) []string {
	var names []string
	for _, digit := range "0123456789abcdef" {
		names = append(names, RequestName(member, string(digit)))
	}
	return names
}

// InviteUser is the user name of a Member's invite ServiceAccount.
func InviteUser(member string) string {
	return "system:serviceaccount:" + MemberNamespace(member) + ":" + InviteServiceAccount
}
