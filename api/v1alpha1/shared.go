package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels and annotations that Hanse sets on objects it owns.
const (
	// LabelMember names the Member an object belongs to.
	LabelMember = GroupName + "/member"
	// LabelConsortium names the Consortium an object belongs to.
	LabelConsortium = GroupName + "/consortium"
	// LabelConsortiumNamespace is the namespace on the host of the Consortium that an object belongs to.
	LabelConsortiumNamespace = GroupName + "/consortium-namespace"
	// LabelConsortiumUID is the UID of that Consortium, which nobody can know before it exists.
	LabelConsortiumUID = GroupName + "/consortium-uid"
	// LabelNode names the ledger node an object belongs to.
	LabelNode = GroupName + "/node"
	// LabelContract names the Contract an object belongs to.
	LabelContract = GroupName + "/contract"
	// LabelContractEnv is put on a Secret by its organization, and names the one contract whose environment may be taken
	// from it, as CHANNEL.CONTRACT.
	LabelContractEnv = GroupName + "/contract-env"
	// LabelApplication is put on a namespace by its organization, and names the Consortium whose nodes the applications in it
	// may reach.
	LabelApplication = GroupName + "/application"
	// LabelManagedBy is the standard label whose value on Hanse's objects is ManagedBy.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "hanse"
	// AnnotationAbandon, set to "true" on a Consortium that is being deleted, lets it be deleted without waiting for Members
	// that are not online. What those Members run stays as it is until somebody removes it there.
	AnnotationAbandon = GroupName + "/abandon"
	// AnnotationApprovalPrefix, followed by CHANNEL.CONTRACT, on the mirror of a MemberPlan in the Member's own cluster, is
	// the digest of the definition that a person there has approved. It counts where contracts are approved by hand.
	AnnotationApprovalPrefix = "approval." + GroupName + "/"
	// AnnotationRefused is on the mirror of a MemberPlan while the host has a newer plan that the organization rejects: the
	// reason, a colon, and what is wrong with it.
	AnnotationRefused = GroupName + "/refused"
	// AnnotationInvitation, on a Member's invite ServiceAccount, is the invitation that its tokens are good for.
	AnnotationInvitation = GroupName + "/invitation"
	// FinalizerRetire keeps a Consortium until every Member has removed its nodes.
	FinalizerRetire = GroupName + "/retire"
)

// ConditionReady is on every kind: True when everything declared is in effect, as of ObservedGeneration; False while
// something is missing, with a message that says what and of whom; Unknown when the state cannot be observed.
const ConditionReady = "Ready"

// ConditionAccepted is True once the host has validated the specification together with the others that it names.
const ConditionAccepted = "Accepted"

// ConditionStalled is set, to True, on what is declared on the host while something is wrong with it that only somebody's act
// ends, with the reason and message of what it is. It is absent otherwise, also while something that the object names is missing,
// or a step failed that is tried again. Tools that follow Kubernetes' standard conditions (kstatus, and with it Flux) count the
// object as failed.
const ConditionStalled = "Stalled"

// Reasons that several kinds use.
const (
	// ReasonAccepted: the specification is valid.
	ReasonAccepted = "Accepted"
	// ReasonReady: everything declared is in effect.
	ReasonReady = "Ready"
	// ReasonProgressing: work is in progress and nothing is wrong.
	ReasonProgressing = "Progressing"
	// ReasonWaiting: the work waits for somebody else, named in the message.
	ReasonWaiting = "Waiting"
	// ReasonNotFound: something that the specification names does not exist.
	ReasonNotFound = "NotFound"
	// ReasonInvalid: the specification contradicts another one, as the message says.
	ReasonInvalid = "Invalid"
	// ReasonFailed: a step failed for the reason in the message, and is retried.
	ReasonFailed = "Failed"
	// ReasonUnreachable: there is no contact with the other side; its state is not known.
	ReasonUnreachable = "Unreachable"
	// ReasonRetiring: the object is being removed.
	ReasonRetiring = "Retiring"
	// ReasonNameTaken: another object uses the name already where names must be unique.
	ReasonNameTaken = "NameTaken"
	// ReasonPlanFull: a Member's plan has reached its limits and has no room for the object.
	ReasonPlanFull = "PlanFull"
)

// NodeRole says what a ledger node does.
// +kubebuilder:validation:Enum=Peer;Orderer
type NodeRole string

const (
	// RolePeer holds the ledger and answers for its organization.
	RolePeer NodeRole = "Peer"
	// RoleOrderer takes part in the ordering of transactions.
	RoleOrderer NodeRole = "Orderer"
)

// ReclaimPolicy says what becomes of a node's volume once the node is gone for good.
// +kubebuilder:validation:Enum=Retain;Delete
type ReclaimPolicy string

const (
	// ReclaimRetain keeps the volume; a node of the same name takes it up again.
	ReclaimRetain ReclaimPolicy = "Retain"
	// ReclaimDelete deletes the volume with its node.
	ReclaimDelete ReclaimPolicy = "Delete"
)

// StateDatabase says where a peer keeps the current state.
// +kubebuilder:validation:Enum=LevelDB;CouchDB
type StateDatabase string

const (
	// StateLevelDB is the database inside the peer.
	StateLevelDB StateDatabase = "LevelDB"
	// StateCouchDB is a CouchDB that runs as the peer's sidecar.
	StateCouchDB StateDatabase = "CouchDB"
)

// LogLevel is what a node logs: a level, and levels of single loggers, separated by colons.
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^(debug|info|warning|error|panic|fatal|[a-zA-Z0-9_.-]+(,[a-zA-Z0-9_.-]+)*=(debug|info|warning|error|panic|fatal))(:(debug|info|warning|error|panic|fatal|[a-zA-Z0-9_.-]+(,[a-zA-Z0-9_.-]+)*=(debug|info|warning|error|panic|fatal)))*$')",message="this is no log level: write debug, info, warning, error, panic or fatal, and after it others for single loggers, separated by colons, such as info:gossip=warning:endorser,chaincode=debug"
type LogLevel string

// Storage is what a ledger node asks of its cluster's storage.
// +kubebuilder:validation:XValidation:rule="!has(self.size) || !string(self.size).matches('^[+]?[0-9]{1,15}([.][0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$') || quantity(string(self.size)).compareTo(quantity('1Mi')) >= 0",message="size is counted in bytes, and no ledger fits in less than 1Mi: add the unit, such as 5Gi"
type Storage struct {
	// ClassName is the StorageClass; the cluster's default one when empty.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*)?$')",message="not a valid StorageClass name: kubectl get storageclass, in the member's cluster, lists the existing ones"
	// +optional
	ClassName string `json:"className,omitempty"`
	// Size of each node's volume. 5Gi when empty.
	// +optional
	Size *resource.Quantity `json:"size,omitempty"`
	// ReclaimPolicy of the volume once its node is gone for good. Retain when empty.
	// +optional
	ReclaimPolicy ReclaimPolicy `json:"reclaimPolicy,omitempty"`
}

// NodeSettings are the settings of ledger nodes. What is empty falls back to the Consortium's settings, then to Hanse's.
type NodeSettings struct {
	// +optional
	Storage Storage `json:"storage,omitempty"`
	// PeerResources are the requests and limits of every peer.
	// +optional
	PeerResources *corev1.ResourceRequirements `json:"peerResources,omitempty"`
	// OrdererResources are the requests and limits of every orderer.
	// +optional
	OrdererResources *corev1.ResourceRequirements `json:"ordererResources,omitempty"`
	// PeerLogLevel is what every peer logs: a level (debug, info, warning, error, panic, fatal), after it others for single
	// loggers, such as info:gossip=warning:endorser,chaincode=debug. info when empty.
	// +optional
	PeerLogLevel LogLevel `json:"peerLogLevel,omitempty"`
	// OrdererLogLevel is the same of every orderer, such as info:orderer.consensus=debug.
	// +optional
	OrdererLogLevel LogLevel `json:"ordererLogLevel,omitempty"`
	// StateDatabase of the peers. LevelDB when empty.
	// +optional
	StateDatabase StateDatabase `json:"stateDatabase,omitempty"`
	// ExtraSANs are further DNS names or IP addresses in the nodes' TLS certificates, for clients outside the cluster.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:XValidation:rule="isIP(self) || self.matches('^([*][.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$')",message="a certificate holds DNS names and IP addresses: write one such as peers.example.com or 192.0.2.1, without scheme, port or path, and with a * at most for the first label, as in *.peers.example.com"
	// +kubebuilder:validation:items:XValidation:rule="!self.lowerAscii().matches('(^|[.])hanse-|(^|[.])hanse$|[.]svc([.]|$)|[.]cluster[.]local$')",message="names within the clusters, and those that end in .hanse, are given by Hanse itself: name only what is the organization's own outside"
	ExtraSANs []string `json:"extraSANs,omitempty"`
}

// EndorsementRule says how many organizations have to endorse a transaction: Majority, All, Any or OutOf.
// +kubebuilder:validation:MaxLength=4096
// +kubebuilder:validation:XValidation:rule="self in ['Majority', 'All', 'Any', 'OutOf']",message="rule is Majority, All, Any or OutOf; a policy in Fabric's own text, such as OR('org1MSP.peer', 'org2MSP.peer'), goes into the field policy instead"
type EndorsementRule string

const (
	// EndorseMajority asks for more than half of the channel's members.
	EndorseMajority EndorsementRule = "Majority"
	// EndorseAll asks for every member of the channel.
	EndorseAll EndorsementRule = "All"
	// EndorseAny asks for one member, whichever.
	EndorseAny EndorsementRule = "Any"
	// EndorseOutOf asks for Count of the Members named.
	EndorseOutOf EndorsementRule = "OutOf"
)

// EndorsementPolicy says which organizations have to endorse a transaction before it counts.
// +kubebuilder:validation:XValidation:rule="!has(self.policy) || (!has(self.rule) && !has(self.count) && !has(self.members))",message="policy is a whole policy in Fabric's own text: leave out rule, count and members, or leave out policy"
// +kubebuilder:validation:XValidation:rule="!has(self.policy) || self.policy.matches('^[ \\t\\r\\n]*([aA][nN][dD]|[oO][rR]|[oO][uU][tT][oO][fF])[ \\t\\r\\n]*[(]')",message="policy is Fabric's own text, such as AND('org1MSP.peer', OR('org2MSP.peer', 'org3MSP.peer')); Majority, All, Any and OutOf go into the field rule"
// +kubebuilder:validation:XValidation:rule="!has(self.rule) || self.rule != 'OutOf' || (has(self.count) && has(self.members))",message="rule OutOf needs count and members: say how many of which members have to endorse"
// +kubebuilder:validation:XValidation:rule="(has(self.rule) && self.rule == 'OutOf') || (!has(self.count) && !has(self.members))",message="count and members go with rule OutOf only: set rule: OutOf, or leave them out"
// +kubebuilder:validation:XValidation:rule="!has(self.count) || !has(self.members) || self.count <= size(self.members)",message="this policy can never be met: count is larger than the number of members"
type EndorsementPolicy struct {
	// Rule among the channel's members. Majority when neither rule nor policy is set.
	// +optional
	Rule EndorsementRule `json:"rule,omitempty"`
	// Count of endorsements, with rule OutOf.
	// +kubebuilder:validation:Minimum=1
	// +optional
	Count int32 `json:"count,omitempty"`
	// Members that count, with rule OutOf.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=40
	// +optional
	Members []string `json:"members,omitempty"`
	// Policy is a whole policy in Fabric's own text instead, over the MSP IDs of the channel's members:
	// AND('org1MSP.peer', OR('org2MSP.peer', 'org3MSP.peer')).
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Policy string `json:"policy,omitempty"`
}

// Batch says when an orderer cuts a block. It follows Fabric's BatchSize and BatchTimeout.
// +kubebuilder:validation:XValidation:rule="!has(self.timeout) || self.timeout.matches('[1-9]')",message="batch.timeout must be greater than 0: give a time such as 500ms"
// +kubebuilder:validation:XValidation:rule="!has(self.absoluteMaxBytes) || !string(self.absoluteMaxBytes).matches('^[+]?[0-9]{1,15}([.][0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$') || (quantity(string(self.absoluteMaxBytes)).compareTo(quantity('1Ki')) >= 0 && quantity(string(self.absoluteMaxBytes)).compareTo(quantity('99Mi')) <= 0)",message="batch.absoluteMaxBytes is between 1Ki and 99Mi, as no orderer forwards a larger block: give a size such as 10Mi"
// +kubebuilder:validation:XValidation:rule="!has(self.preferredMaxBytes) || !string(self.preferredMaxBytes).matches('^[+]?[0-9]{1,15}([.][0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$') || !(has(self.absoluteMaxBytes) ? string(self.absoluteMaxBytes) : '10Mi').matches('^[+]?[0-9]{1,15}([.][0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$') || quantity(string(self.preferredMaxBytes)).compareTo(quantity(has(self.absoluteMaxBytes) ? string(self.absoluteMaxBytes) : '10Mi')) <= 0",message="batch.preferredMaxBytes is larger than batch.absoluteMaxBytes (10Mi when empty), which no block may exceed: lower the one or raise the other"
type Batch struct {
	// MaxMessages is the number of transactions in a block at the most.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +kubebuilder:default=500
	// +optional
	MaxMessages int32 `json:"maxMessages,omitempty"`
	// AbsoluteMaxBytes is the size that no block may exceed.
	// +optional
	AbsoluteMaxBytes *resource.Quantity `json:"absoluteMaxBytes,omitempty"`
	// PreferredMaxBytes is the size at which a block is cut.
	// +optional
	PreferredMaxBytes *resource.Quantity `json:"preferredMaxBytes,omitempty"`
	// Timeout after which a block is cut with what there is.
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}
