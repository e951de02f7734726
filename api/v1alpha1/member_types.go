package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a Member.
const (
	// MemberRegistered is True once the organization's agent has been given its credential.
	MemberRegistered = "Registered"
	// MemberOnline is True while the agent renews its Lease, and Unknown when it has not done so in time: lost contact
	// says nothing about the organization's nodes.
	MemberOnline = "Online"
	// MemberCredentialShared is True when somebody other than the Member's agent uses the agent's key on the host. It stays True
	// until a new agent is registered: invite it with --replace, which revokes the old key's access at once.
	MemberCredentialShared = "CredentialShared"
)

// Reasons of a Member's conditions.
const (
	// ReasonInvited: an invitation is open and has not been used.
	ReasonInvited = "Invited"
	// ReasonInvitationExpired: the invitation has expired; make a new one.
	ReasonInvitationExpired = "InvitationExpired"
	// ReasonRegistered: the agent holds a credential.
	ReasonRegistered = "Registered"
	// ReasonLeaseCurrent: the agent renewed its Lease in time.
	ReasonLeaseCurrent = "LeaseCurrent"
	// ReasonLeaseExpired: the agent has not renewed its Lease in time.
	ReasonLeaseExpired = "LeaseExpired"
	// ReasonCredentialShared: a credential was issued for the agent's key that the agent has not requested, or two agents
	// renew the Lease alternately.
	ReasonCredentialShared = "CredentialShared"
	// ReasonOneAgent: no sign that the agent's key is used by anybody else.
	ReasonOneAgent = "OneAgent"
	// ReasonSecondAgent: another agent requested this Member's credential and was denied.
	ReasonSecondAgent = "SecondAgentRefused"
)

// MemberSpec declares one organization.
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.mspID) || (has(self.mspID) && self.mspID == oldSelf.mspID)",message="the MSP ID of a Member cannot change once it is set, because ledgers and contracts know the organization by it: declare another Member"
type MemberSpec struct {
	// Organization is the organization's name as people know it. The Member's own name when empty.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Organization string `json:"organization,omitempty"`
	// MSPID is the organization's name on a ledger, as contracts and applications name it: Fabric's MSP ID. NAMEMSP when
	// empty. It cannot change once it is set, nor once the organization's agent has registered, and the organization's
	// own chart has to say the same (member.mspID).
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$')",message="not a valid MSP ID: use letters, digits, dots and hyphens, beginning and ending with a letter or digit, such as Org1MSP"
	// +optional
	MSPID string `json:"mspID,omitempty"`
	// Invitation is a random text that identifies the open invitation; `kubectl hanse invite` sets it. An agent can be
	// registered once for each Invitation, and a new one replaces the registered agent.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Invitation string `json:"invitation,omitempty"`
	// InvitationExpires is when the invitation ends.
	// +optional
	InvitationExpires *metav1.Time `json:"invitationExpires,omitempty"`
}

// MemberAgent is what is known of the Member's agent.
type MemberAgent struct {
	// Version of the agent.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Version string `json:"version,omitempty"`
	// KubernetesVersion of the organization's cluster.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`
	// KeyFingerprint is the hex SHA-256 of the agent's public key (SubjectPublicKeyInfo, DER).
	// +kubebuilder:validation:MaxLength=64
	// +optional
	KeyFingerprint string `json:"keyFingerprint,omitempty"`
	// Requests are the hex SHA-256 of the requests for credentials that the agent has made of late, the newest last. A
	// credential that the host has issued for another one was requested by somebody else.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=64
	// +optional
	Requests []string `json:"requests,omitempty"`
}

// MemberRegistration is what the host records of the registered agent. Only the federation controller writes it.
type MemberRegistration struct {
	// Invitation that was used up.
	Invitation string `json:"invitation,omitempty"`
	// KeyFingerprint is the hex SHA-256 of the agent's public key (SubjectPublicKeyInfo, DER).
	KeyFingerprint string `json:"keyFingerprint,omitempty"`
	// Time of the registration.
	Time metav1.Time `json:"time,omitempty"`
	// Issued is how many credentials were issued for the key since the registration.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9007199254740991
	// +optional
	Issued int64 `json:"issued,omitempty"`
	// LastIssued is when the last of them was approved.
	// +optional
	LastIssued metav1.Time `json:"lastIssued,omitempty"`
	// Requests are the hex SHA-256 of the requests that the last of them were issued for, the newest last.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=64
	// +optional
	Requests []string `json:"requests,omitempty"`
}

// Lengths of the lists of requests.
const (
	// MaxAgentRequests is how many of its own requests an agent remembers.
	MaxAgentRequests = 32
	// MaxIssuedRequests is how many of the requests that it has granted the host remembers.
	MaxIssuedRequests = 8
)

// NodeCount counts ledger nodes.
type NodeCount struct {
	Ready   int32 `json:"ready"`
	Desired int32 `json:"desired"`
	// Summary is "ready/desired", for the table.
	// +kubebuilder:validation:MaxLength=32
	Summary string `json:"summary,omitempty"`
}

// LineState is the state of a line as one end sees it.
// +kubebuilder:validation:Enum=Up;Down;Unknown
type LineState string

const (
	// LineUp: the far gateway answers and proves who it is.
	LineUp LineState = "Up"
	// LineDown: the far gateway does not answer, or is not who it should be.
	LineDown LineState = "Down"
	// LineUnknown: not probed yet, or the end that probes it is not online.
	LineUnknown LineState = "Unknown"
)

// LineReason says why a line is not up, or what it lacks. It is deliberately coarse: an organization's gateway dials
// addresses that the host and other Members declare, and what it finds there (ports, certificates, error texts) is for that organization
// alone, which reads it in the ConfigMap hanse-lines of its own cluster.
// +kubebuilder:validation:Enum="";NotProbed;Unreachable;NotAuthenticated;NotAllowed;Full
type LineReason string

const (
	// LineNotProbed: the gateway has not tried the line yet, or the far Member's root is not pinned yet.
	LineNotProbed LineReason = "NotProbed"
	// LineUnreachable: no gateway answers at the far end.
	LineUnreachable LineReason = "Unreachable"
	// LineNotAuthenticated: what answers at the far end does not prove to be the Member's gateway, or does not accept ours.
	// It is told apart from LineUnreachable only for addresses that the organization allows by name (gateway.lines.allow).
	LineNotAuthenticated LineReason = "NotAuthenticated"
	// LineNotAllowed: the organization does not let its gateway dial the line's far end.
	LineNotAllowed LineReason = "NotAllowed"
	// LineFull: the line is up, but the gateway is at its limit and rejects further connections from the far Member.
	LineFull LineReason = "Full"
)

// LineReport is one Member's gateway's report of one line.
type LineReport struct {
	// Name of the Line.
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Member at the far end.
	// +kubebuilder:validation:MaxLength=63
	Member string `json:"member"`
	// State of the line from here to there.
	State LineState `json:"state"`
	// Reverse is the state from there to here, as the far end says.
	// +optional
	Reverse LineState `json:"reverse,omitempty"`
	// RTTMicroseconds is the median round trip of late, in microseconds; only of a line that is up.
	// +optional
	RTTMicroseconds int64 `json:"rttMicroseconds,omitempty"`
	// Active is true when traffic to the Member takes this line.
	// +optional
	Active bool `json:"active,omitempty"`
	// Since is when State was last changed.
	// +optional
	Since metav1.Time `json:"since,omitempty"`
	// Reason says why the line is not up, or what it lacks; empty when nothing is wrong.
	// +optional
	Reason LineReason `json:"reason,omitempty"`
}

// MemberStatus is what is known of an organization. The agent writes Root, Agent, Nodes and Lines; the host the rest.
type MemberStatus struct {
	// ObservedGeneration is the generation that this status is about; 0 until the host has looked at the object.
	// +kubebuilder:default=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// FederationVersion is the version of the host's controller that looks after the Member.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	FederationVersion string `json:"federationVersion,omitempty"`
	// Root is the organization's root certificate in PEM; it vouches for the Member's agent and gateway. The others pin
	// it on first use.
	// +kubebuilder:validation:MaxLength=16384
	// +optional
	Root string `json:"root,omitempty"`
	// +optional
	Agent MemberAgent `json:"agent,omitempty"`
	// +optional
	Registration *MemberRegistration `json:"registration,omitempty"`
	// +optional
	Nodes NodeCount `json:"nodes,omitempty"`
	// Lines are the reports of the Member's gateway of its lines.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=1024
	// +optional
	Lines []LineReport `json:"lines,omitempty"`
	// LinesSummary is "up/all", for the table.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	LinesSummary string `json:"linesSummary,omitempty"`
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Member is one organization and the cluster it brings.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=mbr,categories=hanse
// +kubebuilder:printcolumn:name="Organization",type=string,JSONPath=`.spec.organization`
// +kubebuilder:printcolumn:name="Online",type=string,JSONPath=`.status.conditions[?(@.type=="Online")].status`
// +kubebuilder:printcolumn:name="Agent",type=string,JSONPath=`.status.agent.version`
// +kubebuilder:printcolumn:name="Nodes",type=string,JSONPath=`.status.nodes.summary`
// +kubebuilder:printcolumn:name="Lines",type=string,JSONPath=`.status.linesSummary`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Kubernetes",type=string,JSONPath=`.status.agent.kubernetesVersion`,priority=1
// +kubebuilder:printcolumn:name="Federation",type=string,JSONPath=`.status.federationVersion`,priority=1
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",message="a Member's name becomes part of its nodes' names, such as orderer12-NAME: use at most 40 lower-case letters, digits and hyphens, beginning with a letter"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.registration) || (has(self.spec) && has(self.spec.mspID)) == (has(oldSelf.spec) && has(oldSelf.spec.mspID))",message="the MSP ID of a Member whose agent has registered cannot change, because ledgers and contracts may know the organization by it: declare another Member"
type Member struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec MemberSpec `json:"spec,omitempty"`
	// +kubebuilder:default={}
	// +optional
	Status MemberStatus `json:"status,omitempty"`

	// Undecodable lists the stored values that could not be decoded into this type.
	Undecodable Undecodable `json:"-"`
}

// MemberList is a list of Members.
// +kubebuilder:object:root=true
type MemberList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Member `json:"items"`
}

// MemberNamespace is the namespace on the host that belongs to a Member.
func MemberNamespace(member string) string { return "hanse-member-" + member }

// MSPID is the Member's name on a ledger: the one that was chosen, or NAMEMSP.
func (in *Member) MSPID() string {
	if in.Spec.MSPID != "" {
		return in.Spec.MSPID
	}
	return MSPID(in.Name)
}

// MSPID is the name on a ledger of a Member for whom none was chosen. What has a plan asks MemberPlanSpec.MSPID, what has
// a Member its MSPID.
func MSPID(member string) string { return member + "MSP" }
