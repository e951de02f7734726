package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions of a Consortium, beside Accepted and Ready. Each aggregates what the Members report of their MemberPlans.
const (
	// ConsortiumMembersOnline is True when every Member's agent is online.
	ConsortiumMembersOnline = "MembersOnline"
	// ConsortiumNodesReady is True when every Member's nodes run.
	ConsortiumNodesReady = "NodesReady"
	// ConsortiumRolledOut is True when every node has been given the images, resources and log level that the Consortium
	// declares and has become ready with them. While a change is being rolled out its message is the progress.
	ConsortiumRolledOut = "RolledOut"
	// ConsortiumLinesReady is True when every pair of Members has a line that is up.
	ConsortiumLinesReady = "LinesReady"
	// ConsortiumChannelsReady is True when every Member's nodes have joined their channels.
	ConsortiumChannelsReady = "ChannelsReady"
	// ConsortiumContractsReady is True when every contract is committed and runs.
	ConsortiumContractsReady = "ContractsReady"
	// ConsortiumPlansWritten is True when every Member's plan on the host is up to date, and the Members have a namespace for
	// their statements.
	ConsortiumPlansWritten = "PlansWritten"
)

// Reasons of a Consortium's conditions.
const (
	// ReasonRolloutFailed: a node did not become ready with a new image or new settings in time. It has gone back to what it
	// had, and no other node is given the new ones until the Consortium declares others.
	ReasonRolloutFailed = "RolloutFailed"
	// ReasonPlanNotWritten: the host's API server rejects a Member's plan, or the namespace for statements cannot be used, for
	// the reason in the message.
	ReasonPlanNotWritten = "PlanNotWritten"
)

// DefaultProgressDeadlineSeconds is how long a node may take to become ready with what is new, unless the Consortium declares another time.
const DefaultProgressDeadlineSeconds = 300

// ConsortiumRole is a Member's part in a Consortium.
// +kubebuilder:validation:Enum=Leader;Participant
type ConsortiumRole string

const (
	// RoleLeader makes the channels' first blocks and commits contracts once the others have approved them. It has no
	// further rights over the others.
	RoleLeader ConsortiumRole = "Leader"
	// RoleParticipant is every other Member.
	RoleParticipant ConsortiumRole = "Participant"
)

// LedgerType is a ledger technology.
// +kubebuilder:validation:Enum=Fabric
type LedgerType string

// LedgerFabric is Hyperledger Fabric.
const LedgerFabric LedgerType = "Fabric"

// FabricSpec holds the settings specific to Fabric.
type FabricSpec struct {
	// PeerImage is the image of every peer. docker.io/hyperledger/fabric-peer:3.1.4 when empty.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$')",message="not a valid image reference: write [registry/]name[:tag][@sha256:…], the name in lower case, without https://"
	// +optional
	PeerImage string `json:"peerImage,omitempty"`
	// OrdererImage is the image of every orderer. docker.io/hyperledger/fabric-orderer:3.1.4 when empty.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$')",message="not a valid image reference: write [registry/]name[:tag][@sha256:…], the name in lower case, without https://"
	// +optional
	OrdererImage string `json:"ordererImage,omitempty"`
	// CouchDBImage is the image of the peers' state database when that is CouchDB. docker.io/library/couchdb:3.4 when empty.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$')",message="not a valid image reference: write [registry/]name[:tag][@sha256:…], the name in lower case, without https://"
	// +optional
	CouchDBImage string `json:"couchDBImage,omitempty"`
	// Capabilities is the capability level of new channels' channel and orderer groups. V2_0 runs on every supported release.
	// +kubebuilder:validation:Enum=V2_0;V3_0
	// +kubebuilder:default=V2_0
	// +optional
	Capabilities string `json:"capabilities,omitempty"`
	// ApplicationCapabilities is the capability level of new channels' application group.
	// +kubebuilder:validation:Enum=V2_0;V2_5
	// +kubebuilder:default=V2_5
	// +optional
	ApplicationCapabilities string `json:"applicationCapabilities,omitempty"`
	// AcceptedLine acknowledges that the images of peers and orderers move to another minor line of Fabric, up or down: that
	// line, such as 3.2. It is needed in that change only; within a line it is not.
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{1,4}[.][0-9]{1,4}$')",message="a minor line of Fabric is two numbers: write one such as \"3.2\", in quotes"
	// +optional
	AcceptedLine string `json:"acceptedLine,omitempty"`
}

// LedgerSpec says which ledger the Consortium runs.
// +kubebuilder:validation:XValidation:rule="self.type == oldSelf.type",message="the ledger type of a running consortium cannot change: declare another Consortium"
// +kubebuilder:validation:XValidation:rule="(has(self.fabric) && has(self.fabric.capabilities) ? self.fabric.capabilities : 'V2_0') == (has(oldSelf.fabric) && has(oldSelf.fabric.capabilities) ? oldSelf.fabric.capabilities : 'V2_0')",message="capabilities are written into a channel's first block, and a change here would not affect existing channels: leave them, or declare another Consortium"
// +kubebuilder:validation:XValidation:rule="(has(self.fabric) && has(self.fabric.applicationCapabilities) ? self.fabric.applicationCapabilities : 'V2_5') == (has(oldSelf.fabric) && has(oldSelf.fabric.applicationCapabilities) ? oldSelf.fabric.applicationCapabilities : 'V2_5')",message="applicationCapabilities are written into a channel's first block, and a change here would not affect existing channels: leave them, or declare another Consortium"
type LedgerSpec struct {
	// +kubebuilder:default=Fabric
	// +optional
	Type LedgerType `json:"type,omitempty"`
	// +optional
	Fabric *FabricSpec `json:"fabric,omitempty"`
}

// ConsortiumMember is one Member's part in a Consortium.
type ConsortiumMember struct {
	// Name of the Member.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",message="not a valid Member name: use at most 40 lower-case letters, digits and hyphens, beginning with a letter"
	Name string `json:"name"`
	// Role of the Member; exactly one is Leader.
	// +kubebuilder:default=Participant
	// +optional
	Role ConsortiumRole `json:"role,omitempty"`
	// Peers that the Member runs.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=32
	// +kubebuilder:default=1
	// +optional
	Peers *int32 `json:"peers,omitempty"`
	// Orderers that the Member runs.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9
	// +kubebuilder:default=1
	// +optional
	Orderers *int32 `json:"orderers,omitempty"`
	// Nodes overrides the Consortium's settings for this Member's nodes.
	// +optional
	Nodes *NodeSettings `json:"nodes,omitempty"`
}

// ConsortiumSpec declares the Members that take part and what they run.
// +kubebuilder:validation:XValidation:rule="self.members.filter(m, m.role == 'Leader').size() == 1",message="a consortium has exactly one Leader: give one member, and only one, role: Leader"
// +kubebuilder:validation:XValidation:rule="self.members.exists(m, m.orderers > 0)",message="a consortium needs an ordering service: let at least one member run an orderer"
// +kubebuilder:validation:XValidation:rule="self.members.size() == oldSelf.members.size() && self.members.all(m, oldSelf.members.exists(o, o.name == m.name && o.role == m.role))",message="who takes part in a running consortium, and in which role, cannot be changed here: it needs the members' own consent"
// +kubebuilder:validation:XValidation:rule="self.members.all(m, oldSelf.members.all(o, o.name != m.name || o.orderers == m.orderers))",message="the number of orderers of a running consortium cannot be changed here: each channel's consenters would have to agree"
// +kubebuilder:validation:XValidation:rule="self.members.all(m, oldSelf.members.all(o, o.name != m.name || m.peers >= o.peers))",message="peers can be added but not taken away: keep at least as many as there are"
// +kubebuilder:validation:XValidation:rule="(has(self.nodes) && has(self.nodes.stateDatabase) ? self.nodes.stateDatabase : 'LevelDB') == (has(oldSelf.nodes) && has(oldSelf.nodes.stateDatabase) ? oldSelf.nodes.stateDatabase : 'LevelDB')",message="the state database of running peers cannot change: declare another Consortium"
// +kubebuilder:validation:XValidation:rule="self.members.all(m, oldSelf.members.all(o, o.name != m.name || (has(o.nodes) && has(o.nodes.stateDatabase) ? o.nodes.stateDatabase : 'inherited') == (has(m.nodes) && has(m.nodes.stateDatabase) ? m.nodes.stateDatabase : 'inherited')))",message="the state database of running peers cannot change: declare another Consortium"
// +kubebuilder:validation:XValidation:rule="(has(self.ledger) && has(self.ledger.fabric) && has(self.ledger.fabric.peerImage) ? self.ledger.fabric.peerImage : 'docker.io/hyperledger/fabric-peer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+') in [(has(oldSelf.ledger) && has(oldSelf.ledger.fabric) && has(oldSelf.ledger.fabric.peerImage) ? oldSelf.ledger.fabric.peerImage : 'docker.io/hyperledger/fabric-peer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+'), has(self.ledger) && has(self.ledger.fabric) && has(self.ledger.fabric.acceptedLine) ? ':' + self.ledger.fabric.acceptedLine : 'none'] || size((has(self.ledger) && has(self.ledger.fabric) && has(self.ledger.fabric.peerImage) ? self.ledger.fabric.peerImage : 'docker.io/hyperledger/fabric-peer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+')) == 0 || size((has(oldSelf.ledger) && has(oldSelf.ledger.fabric) && has(oldSelf.ledger.fabric.peerImage) ? oldSelf.ledger.fabric.peerImage : 'docker.io/hyperledger/fabric-peer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+')) == 0",message="peerImage names another minor line of Fabric than the one that is declared: the ledger's formats may change with it, so read Fabric's upgrade notes first, then write that line into ledger.fabric.acceptedLine in the same change; within a line any release can be declared"
// +kubebuilder:validation:XValidation:rule="(has(self.ledger) && has(self.ledger.fabric) && has(self.ledger.fabric.ordererImage) ? self.ledger.fabric.ordererImage : 'docker.io/hyperledger/fabric-orderer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+') in [(has(oldSelf.ledger) && has(oldSelf.ledger.fabric) && has(oldSelf.ledger.fabric.ordererImage) ? oldSelf.ledger.fabric.ordererImage : 'docker.io/hyperledger/fabric-orderer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+'), has(self.ledger) && has(self.ledger.fabric) && has(self.ledger.fabric.acceptedLine) ? ':' + self.ledger.fabric.acceptedLine : 'none'] || size((has(self.ledger) && has(self.ledger.fabric) && has(self.ledger.fabric.ordererImage) ? self.ledger.fabric.ordererImage : 'docker.io/hyperledger/fabric-orderer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+')) == 0 || size((has(oldSelf.ledger) && has(oldSelf.ledger.fabric) && has(oldSelf.ledger.fabric.ordererImage) ? oldSelf.ledger.fabric.ordererImage : 'docker.io/hyperledger/fabric-orderer:3.1.4').find('[^/]*$').find(':[0-9]+[.][0-9]+')) == 0",message="ordererImage names another minor line of Fabric than the one that is declared: the ledger's formats may change with it, so read Fabric's upgrade notes first, then write that line into ledger.fabric.acceptedLine in the same change; within a line any release can be declared"
type ConsortiumSpec struct {
	// +kubebuilder:default={type: Fabric}
	// +optional
	Ledger LedgerSpec `json:"ledger,omitempty"`
	// Members that take part.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Members []ConsortiumMember `json:"members"`
	// Nodes are the settings of all Members' nodes.
	// +optional
	Nodes NodeSettings `json:"nodes,omitempty"`
	// ProgressDeadlineSeconds is how long a node may take to become ready with a new image or new settings. After that the
	// node goes back to what it had, and the rollout ends. 300 when empty.
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=86400
	// +optional
	ProgressDeadlineSeconds *int32 `json:"progressDeadlineSeconds,omitempty"`
}

// NodeTemplate is what one node's pod is started with. A change of it restarts the node.
type NodeTemplate struct {
	// Image of the node itself.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`
	// StateDatabaseImage is the image of the CouchDB beside a peer; empty where there is none.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	StateDatabaseImage string `json:"stateDatabaseImage,omitempty"`
	// Resources and LogLevel as declared; the defaults when empty.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// +optional
	LogLevel LogLevel `json:"logLevel,omitempty"`
}

// RolloutTarget is what a Consortium declared when a rollout began.
type RolloutTarget struct {
	// +kubebuilder:validation:MaxLength=512
	PeerImage string `json:"peerImage"`
	// +kubebuilder:validation:MaxLength=512
	OrdererImage string `json:"ordererImage"`
	// +kubebuilder:validation:MaxLength=512
	CouchDBImage string `json:"couchDBImage"`
	// Settings is the digest of all nodes' resources and log levels; empty if none are declared.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Settings string `json:"settings,omitempty"`
}

// RolloutStatus is a change of what the nodes are started with, images, resources and log levels: one node after the other, over all Members. It is empty when there is
// nothing to change.
type RolloutStatus struct {
	// Target is what the Consortium declared when the rollout began. A change of it starts a new rollout.
	Target RolloutTarget `json:"target"`
	// Member and Node that are being changed; empty while none can be. After a failure, those that failed.
	// +kubebuilder:validation:MaxLength=40
	// +optional
	Member string `json:"member,omitempty"`
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Node string `json:"node,omitempty"`
	// From is what the node ran before, and goes back to if it fails; To is what it is to run.
	// +optional
	From NodeTemplate `json:"from,omitempty"`
	// +optional
	To NodeTemplate `json:"to,omitempty"`
	// Since is when the node was given it.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// Failed is whether the rollout has ended because the node did not become ready in time.
	// +optional
	Failed bool `json:"failed,omitempty"`
	// Message says what the rollout waits for or, after a failure, what the node's agent said last.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}

// ConsortiumMemberStatus is one Member's entry in a Consortium's status.
type ConsortiumMemberStatus struct {
	Name string `json:"name"`
	// Online is the Member's Online condition.
	// +optional
	Online metav1.ConditionStatus `json:"online,omitempty"`
	// Nodes of the Member in this Consortium.
	// +optional
	Nodes NodeCount `json:"nodes,omitempty"`
	// VolumeSize is the size of the Member's largest volume, as far as it is declared. No smaller one can be declared.
	// +optional
	VolumeSize *resource.Quantity `json:"volumeSize,omitempty"`
	// Phase is the step that the Member's agent is at.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Message says what the Member waits for.
	// +optional
	Message string `json:"message,omitempty"`
}

// ConsortiumStatus aggregates what the Members report.
type ConsortiumStatus struct {
	// ObservedGeneration is the generation that this status is about; 0 until the host has looked at the object.
	// +kubebuilder:default=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Members []ConsortiumMemberStatus `json:"members,omitempty"`
	// MembersSummary, NodesSummary, ChannelsSummary and ContractsSummary are "ready/declared", for the table.
	// +optional
	MembersSummary string `json:"membersSummary,omitempty"`
	// +optional
	NodesSummary string `json:"nodesSummary,omitempty"`
	// +optional
	ChannelsSummary string `json:"channelsSummary,omitempty"`
	// +optional
	ContractsSummary string `json:"contractsSummary,omitempty"`
	// Rollout of node images that is under way or has failed.
	// +optional
	Rollout *RolloutStatus `json:"rollout,omitempty"`
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// GetConditions lists the conditions in the status.
func (in ConsortiumStatus) GetConditions() []metav1.Condition { return in.Conditions }

// Consortium is a network among Members: the nodes they run and how these find each other.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cons,categories=hanse
// +kubebuilder:printcolumn:name="Members",type=string,JSONPath=`.status.membersSummary`
// +kubebuilder:printcolumn:name="Nodes",type=string,JSONPath=`.status.nodesSummary`
// +kubebuilder:printcolumn:name="Channels",type=string,JSONPath=`.status.channelsSummary`
// +kubebuilder:printcolumn:name="Contracts",type=string,JSONPath=`.status.contractsSummary`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 50 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$') && self.metadata.name != 'system' && !self.metadata.name.startsWith('member-') && !self.metadata.name.startsWith('shared-')",message="a Consortium's name becomes a namespace, hanse-NAME, in every member's cluster: use at most 50 lower-case letters, digits and hyphens, beginning with a letter, and neither 'system' nor 'member-…' nor 'shared-…'"
// +kubebuilder:validation:XValidation:rule="!has(self.status) || !has(self.status.members) || self.spec.members.all(m, self.status.members.all(s, s.name != m.name || !has(s.volumeSize) || !(has(m.nodes) && has(m.nodes.storage) && has(m.nodes.storage.size) ? string(m.nodes.storage.size) : has(self.spec.nodes) && has(self.spec.nodes.storage) && has(self.spec.nodes.storage.size) ? string(self.spec.nodes.storage.size) : '5Gi').matches('^[+]?[0-9]{1,15}([.][0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$') || !string(s.volumeSize).matches('^[+]?[0-9]{1,15}([.][0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$') || quantity((has(m.nodes) && has(m.nodes.storage) && has(m.nodes.storage.size) ? string(m.nodes.storage.size) : has(self.spec.nodes) && has(self.spec.nodes.storage) && has(self.spec.nodes.storage.size) ? string(self.spec.nodes.storage.size) : '5Gi')).compareTo(quantity(string(s.volumeSize))) >= 0))",message="storage.size is less than a member's volumes have, and no volume can shrink: leave it, or raise it; kubectl get consortium -o jsonpath='{.status.members}' has the sizes"
type Consortium struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ConsortiumSpec `json:"spec"`
	// +kubebuilder:default={}
	// +optional
	Status ConsortiumStatus `json:"status,omitempty"`

	// Undecodable lists the stored values that could not be decoded into this type.
	Undecodable Undecodable `json:"-"`
}

// ConsortiumList is a list of Consortia.
// +kubebuilder:object:root=true
type ConsortiumList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Consortium `json:"items"`
}

// ConsortiumNamespace is the namespace in each member's cluster that belongs to a Consortium.
func ConsortiumNamespace(consortium string) string { return "hanse-" + consortium }
