package v1alpha1

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MaxStatementBytes is the size that a statement may have: its payload, certificates and signature. A larger one is rejected
// without being parsed.
const MaxStatementBytes = 256 << 10

// StatementKind says what a statement is about, and so what its payload is.
// +kubebuilder:validation:Enum=Record;Holdings;Genesis;Charter;Proposal;Vote;Prepare;Commit
type StatementKind string

const (
	// StatementRecord is a Member's Record: its nodes, lines and roots. The payload is JSON.
	StatementRecord StatementKind = "Record"
	// StatementHoldings are the first blocks that a Member has checked and pinned, as a list of RecordChannel in JSON.
	StatementHoldings StatementKind = "Holdings"
	// StatementGenesis is the first block of the channel that is the statement's subject (protobuf, gzip), signed by a Member
	// that holds it.
	StatementGenesis StatementKind = "Genesis"
	// StatementCharter is the Consortium's charter, which each founder signs. The payload of this kind and of those below is
	// JSON in the form that package governance defines.
	StatementCharter StatementKind = "Charter"
	// StatementProposal is a change of what is in force, proposed for the position of the log that is its subject.
	StatementProposal StatementKind = "Proposal"
	// StatementVote is a Member's answer to a proposal. The subject is POSITION-PROPOSER.
	StatementVote StatementKind = "Vote"
	// StatementPrepare and StatementCommit are what a Member's agent says in a ballot about the next entry of the log. The
	// subject is POSITION.BALLOT.
	StatementPrepare StatementKind = "Prepare"
	StatementCommit  StatementKind = "Commit"
)

// StatementSpec is something that one Member has signed, for the other Members of one Consortium. It travels by gossip and by
// way of the host, and is used only once its signature has been verified against the Member's pinned root.
type StatementSpec struct {
	// Consortium that it is for.
	// +kubebuilder:validation:MaxLength=50
	// +kubebuilder:validation:MinLength=1
	Consortium string        `json:"consortium"`
	Kind       StatementKind `json:"kind"`
	// Subject that it is about, where a Member has several statements of the kind: a channel's name with Genesis.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Subject string `json:"subject,omitempty"`
	// Member that says it.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:MinLength=1
	Member string `json:"member"`
	// Sequence rises with every change; of two statements of one Member, kind and subject the higher one is valid. It is the
	// time of the change in microseconds since 1970, or one more than the last, whichever is more.
	// +kubebuilder:validation:Minimum=1
	Sequence int64 `json:"sequence"`
	// Payload as it was signed, byte for byte.
	// +kubebuilder:validation:MaxLength=349528
	Payload []byte `json:"payload"`
	// Certificates is the signer's chain in PEM, leaf first.
	// +kubebuilder:validation:MaxLength=65536
	Certificates string `json:"certificates"`
	// Signature is the leaf key's ECDSA signature (ASN.1 DER) over SHA-256 of the canonical encoding of all fields above
	// Certificates; see package statement.
	// +kubebuilder:validation:MaxLength=1024
	Signature []byte `json:"signature"`
}

// SignerName is the name in the certificate with which a Member signs statements of this kind.
func (k StatementKind) SignerName(member string) string {
	switch k {
	case StatementCharter, StatementProposal, StatementVote:
		return VoterServerName(member)
	default:
		return AgentServerName(member)
	}
}

// StatementRef refers to a statement.
type StatementRef struct {
	// Member that has signed it.
	// +kubebuilder:validation:MaxLength=40
	Member string `json:"member"`
	// Digest is the hex SHA-256 of the statement's canonical encoding.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	Digest string `json:"digest"`
}

// Statement is a stored statement. On the host it is in the Consortium's namespace, where each Member's agent creates its own
// and reads the others', and nobody changes one; in a Member's cluster it is in the agent's namespace. It has no status:
// it says something, and nothing is to be done about it.
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=stmt,categories=hanse
// +kubebuilder:printcolumn:name="Consortium",type=string,JSONPath=`.spec.consortium`
// +kubebuilder:printcolumn:name="Member",type=string,JSONPath=`.spec.member`
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.spec.kind`
// +kubebuilder:printcolumn:name="Subject",type=string,JSONPath=`.spec.subject`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9-]+[.][0-9a-f]{64}$') && self.metadata.name.startsWith(self.spec.member + '.')",message="a Statement is named MEMBER.DIGEST: the member that signed it, and its hex SHA-256"
// +kubebuilder:validation:XValidation:rule="self.spec == oldSelf.spec",message="what was signed cannot be changed: sign another statement with a higher sequence"
type Statement struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec StatementSpec `json:"spec"`
}

// StatementList is a list of Statements.
// +kubebuilder:object:root=true
type StatementList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Statement `json:"items"`
}

// IsDigest is whether a text is a hex SHA-256, as digests of statements and hashes of first blocks are written.
func IsDigest(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// StatementName is the name of the object of a statement. It begins with the Member, so that nobody can take the name of
// another Member's statement.
func StatementName(member, digest string) string { return member + "." + digest }

// StatementsNamespace is the namespace on the host for a Consortium's statements.
func StatementsNamespace(consortium string) string { return "hanse-shared-" + consortium }
