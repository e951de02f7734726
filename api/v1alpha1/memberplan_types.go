package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions of a MemberPlan, in the order in which the agent works. The agent sets them; the host aggregates them.
const (
	// PlanMirrored is True when the agent has a copy of the plan in its own cluster.
	PlanMirrored = "Mirrored"
	// PlanTrusted is True when the plan is for this Member and every root in it is the one that was pinned.
	PlanTrusted = "Trusted"
	// PlanIdentitiesReady is True when the organization's CAs and its nodes' certificates have been issued.
	PlanIdentitiesReady = "IdentitiesReady"
	// PlanNodesReady is True when every node of the plan runs.
	PlanNodesReady = "NodesReady"
	// PlanDiscovered is True when a verified record of every other Member is available.
	PlanDiscovered = "Discovered"
	// PlanLinesReady is True when there is a line that is up to every other Member.
	PlanLinesReady = "LinesReady"
	// PlanChannelsReady is True when this Member's nodes have joined every channel.
	PlanChannelsReady = "ChannelsReady"
	// PlanContractsReady is True when every contract runs here, is approved here and is committed.
	PlanContractsReady = "ContractsReady"
	// PlanRetired is True when everything that the plan had deployed is removed, except volumes with the policy Retain.
	PlanRetired = "Retired"
	// PlanCredentialShared is set, to True, while there is a sign that somebody else uses the agent's credential on the
	// host, as the Member's condition of that name.
	PlanCredentialShared = MemberCredentialShared
)

// Reasons of a MemberPlan's conditions.
const (
	// ReasonRootChanged: a Member's root is not the one that was pinned; the new one is not trusted.
	ReasonRootChanged = "RootChanged"
	// ReasonWrongMember: the plan is for another Member.
	ReasonWrongMember = "WrongMember"
	// ReasonConsortiumDefinition: the definition to which the plan refers is missing, or is not what the plan says; the previous
	// plan stays in effect.
	ReasonConsortiumDefinition = "ConsortiumDefinitionInvalid"
	// ReasonMSPIDDiffers: the plan gives the organization another name on the ledger than its own chart.
	ReasonMSPIDDiffers = "MSPIDDiffers"
	// ReasonLimitExceeded: the plan exceeds the organization's limits; the previous one stays in effect.
	ReasonLimitExceeded = "LimitExceeded"
	// ReasonCertManagerMissing: the cluster does not serve cert-manager's API.
	ReasonCertManagerMissing = "CertManagerMissing"
	// ReasonVolumeNotExpandable: a node's volume is to grow, and its StorageClass does not let it. The node runs on as it is.
	ReasonVolumeNotExpandable = "VolumeNotExpandable"
	// ReasonStorageClassMissing: the cluster has no StorageClass of that name.
	ReasonStorageClassMissing = "StorageClassMissing"
	// ReasonImagePull: an image cannot be pulled.
	ReasonImagePull = "ImagePullFailed"
	// ReasonImageNotAllowed: the organization's own policy does not let an image of the plan run in its cluster.
	ReasonImageNotAllowed = "ImageNotAllowed"
	// ReasonRejected: the Member's cluster has rejected an object of the plan: its API server, a quota or a policy.
	ReasonRejected = "Rejected"
	// ReasonSecretMissing: a Secret that a contract's environment names is missing, or is not labelled for the contract.
	ReasonSecretMissing = "SecretMissing"
	// ReasonNameNotAllowed: the plan asks for a name in a certificate that the organization does not allow.
	ReasonNameNotAllowed = "NameNotAllowed"
	// ReasonDigestRequired: the organization approves contracts by hand, and the image of one is not named by its digest.
	ReasonDigestRequired = "DigestRequired"
	// ReasonDefinitionDiffers: the ledger holds another definition of a contract than the one that is declared.
	ReasonDefinitionDiffers = "DefinitionDiffers"
	// ReasonNotApproved: the organization approves contracts by hand, and has not approved one as the plan has it.
	ReasonNotApproved = "NotApproved"
	// ReasonGenesisRefused: a channel's first block does not match the plan and the records, or the pinned one.
	ReasonGenesisRefused = "GenesisRefused"
	// ReasonGenesisDiffers: the signed records of the Members show different first blocks of one channel; no node joins it.
	ReasonGenesisDiffers = "GenesisDiffers"
	// ReasonLedgerDiffers: a node holds a ledger of the channel's name that does not begin with the channel's first block.
	ReasonLedgerDiffers = "LedgerDiffers"
	// ReasonChannelDiffers: the plan gives a channel other members or rules than its pinned first block does.
	ReasonChannelDiffers = "ChannelDiffers"
)

const (
	// MaxGenesisBytes is the size that a channel's first block may have, compressed as statements carry it. One of
	// sixty-four organizations with an orderer each has 72 KB.
	MaxGenesisBytes = 192 << 10
	// MaxPlanBytes is the size that no plan's spec that the host computes reaches, in bytes of JSON. etcd takes objects of
	// 1.5 MiB, and the status is in the same object.
	MaxPlanBytes = 1 << 20
	// MaxPlanChannels and MaxPlanContracts are how many channels and contracts one plan carries.
	MaxPlanChannels, MaxPlanContracts = 256, 512
)

// PlanNode is one ledger node that the Member is to run.
type PlanNode struct {
	// Name of the node, such as peer0-org1.
	Name string   `json:"name"`
	Role NodeRole `json:"role"`
	// Image of the node. While a new image is rolled out, nodes of one plan differ in it.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`
	// StateDatabaseImage is the image of the CouchDB beside a peer; empty where there is none.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	StateDatabaseImage string `json:"stateDatabaseImage,omitempty"`
	// +optional
	Storage Storage `json:"storage,omitempty"`
	// Resources and LogLevel reach nodes as images do: while a change of them is rolled out, nodes of one plan differ in them.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// LogLevel is empty where nothing is declared.
	// +optional
	LogLevel LogLevel `json:"logLevel,omitempty"`
	// +optional
	StateDatabase StateDatabase `json:"stateDatabase,omitempty"`
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ExtraSANs []string `json:"extraSANs,omitempty"`
}

// PlanMember is one Member of the Consortium, as the plan's reader needs it. The reader itself is among them.
type PlanMember struct {
	Name string         `json:"name"`
	Role ConsortiumRole `json:"role"`
	// MSPID is the Member's name on the ledger. Read it with MemberPlanSpec.MSPID, which knows the default.
	// +kubebuilder:validation:MaxLength=249
	// +optional
	MSPID string `json:"mspID,omitempty"`
	// Root is the Member's root certificate in PEM; empty until the Member has published it.
	// +optional
	Root string `json:"root,omitempty"`
	// Record is the digest of the Member's last statement of kind Record that the host has; empty while it has none.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +optional
	Record string `json:"record,omitempty"`
	// Holdings is the same for the kind Holdings. In a large consortium they travel by gossip alone, and it is empty.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +optional
	Holdings string `json:"holdings,omitempty"`
	// Nodes that the Consortium asks of the Member.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Nodes []PlanMemberNode `json:"nodes,omitempty"`
}

// PlanMemberNode is a node of some Member.
type PlanMemberNode struct {
	Name string   `json:"name"`
	Role NodeRole `json:"role"`
	Port int32    `json:"port"`
}

// PlanLine is a line between the plan's reader and another Member. What of it the plan's LineDefaults say is stored only if
// it differs.
type PlanLine struct {
	// Name of the Line.
	Name string `json:"name"`
	// +optional
	Priority int32 `json:"priority,omitempty"`
	// Member at the far end, and where its gateway is reached.
	Member  string `json:"member"`
	Address string `json:"address"`
	// +optional
	Port int32 `json:"port,omitempty"`
	// LocalAddress and LocalPort are where the far end reaches this Member's gateway.
	// +optional
	LocalAddress string `json:"localAddress,omitempty"`
	// +optional
	LocalPort int32 `json:"localPort,omitempty"`
}

// PlanLineDefaults is what the lines of a stored plan have where they have nothing of their own.
type PlanLineDefaults struct {
	// +optional
	Priority int32 `json:"priority,omitempty"`
	// +optional
	Port int32 `json:"port,omitempty"`
	// +optional
	LocalAddress string `json:"localAddress,omitempty"`
	// +optional
	LocalPort int32 `json:"localPort,omitempty"`
}

// PlanChannel is a channel that concerns the Member, as a member of it or with an orderer for it.
type PlanChannel struct {
	Name string `json:"name"`
	// Members of the channel, sorted. A plan is stored without them if they are all of its members.
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Members []string `json:"members,omitempty"`
	// Leader makes the channel's first block and commits its contracts: the Consortium's Leader if it can, or else the
	// first of the channel's members that runs peers. It, Endorsement and Batch are stored only if they are not those of
	// ChannelDefaults.
	// +optional
	Leader string `json:"leader,omitempty"`
	// Endorsement policy of the channel.
	// +optional
	Endorsement EndorsementPolicy `json:"endorsement,omitzero"`
	// Batch with every field filled in.
	// +optional
	Batch Batch `json:"batch,omitzero"`
	// GenesisHash is the hex SHA-256 of the header of the channel's first block; empty until the Leader has published it. It
	// never changes.
	// +optional
	GenesisHash string `json:"genesisHash,omitempty"`
	// Genesis refers to the statement with the channel's first block, for a Member that has not reported yet that it holds it.
	// +optional
	Genesis *StatementRef `json:"genesis,omitempty"`
	// GenesisRequested asks this Member for a statement with the first block, because another Member does not have it yet and
	// the host knows of none.
	// +optional
	GenesisRequested bool `json:"genesisRequested,omitempty"`
}

// PlanChannelDefaults is what the channels of a stored plan have where they have nothing of their own.
type PlanChannelDefaults struct {
	// +optional
	Leader string `json:"leader,omitempty"`
	// +optional
	Endorsement EndorsementPolicy `json:"endorsement,omitzero"`
	// +optional
	Batch Batch `json:"batch,omitzero"`
}

// PlanDefinition refers to the Consortium's definition, and has in short what its list of Members has no place for.
type PlanDefinition struct {
	// Digest of the ConsortiumDefinition that is part of the plan: the hex SHA-256 of its content.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	Digest string `json:"digest"`
	// Records are the digests of the Members' last statements of kind Record, in the definition's order of Members; empty for
	// one that has none.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=64
	// +optional
	Records []string `json:"records,omitempty"`
	// Holdings are the same for the kind Holdings.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=64
	// +optional
	Holdings []string `json:"holdings,omitempty"`
	// Contracts is whether the definition's contracts are the plan's too. They are not where the Member runs no node for them.
	// +optional
	Contracts bool `json:"contracts,omitempty"`
}

// PlanContract is a contract on one of the plan's channels.
type PlanContract struct {
	// Name on the ledger.
	Name    string `json:"name"`
	Channel string `json:"channel"`
	Image   string `json:"image"`
	Version string `json:"version"`
	// Sequence of the definition to approve.
	Sequence    int64             `json:"sequence"`
	Endorsement EndorsementPolicy `json:"endorsement"`
	// Collections with every default filled in, sorted by name.
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Collections []Collection `json:"collections,omitempty"`
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// Env is the contract's own environment.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Env []ContractEnvVar `json:"env,omitempty"`
	// Replicas in the Member's cluster; one when zero.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// TLS is whether the peers speak TLS to the contract.
	// +optional
	TLS bool `json:"tls,omitempty"`
}

// MemberPlanSpec is what one Member has to do for one Consortium. The host computes it; it is not written by hand.
// +kubebuilder:validation:XValidation:rule="has(self.definition) || (has(self.ledger) && has(self.members))",message="a plan without a definition needs ledger and members: name the Consortium's definition, or give both; the host's controller writes plans, and puts one right that somebody has edited"
type MemberPlanSpec struct {
	// Member that the plan is for.
	Member string `json:"member"`
	// Consortium that it is about, and its namespace on the host.
	Consortium          string `json:"consortium"`
	ConsortiumNamespace string `json:"consortiumNamespace"`
	// Namespace in the Member's cluster that the nodes run in.
	Namespace string `json:"namespace"`
	// Definition of the Consortium, for stored plans on the host only. It has the Ledger, the Members, and the channels and
	// contracts that all Members share, of which the plan then has only what is for this Member alone; whoever reads the plan
	// joins the two. A plan that is small with all that is stored without.
	// +optional
	Definition *PlanDefinition `json:"definition,omitempty"`
	// Ledger with every default filled in.
	// +optional
	Ledger LedgerSpec `json:"ledger,omitzero"`
	// Retire is set when the Consortium is being deleted: remove everything and report it with the condition Retired.
	// Nothing is deleted because Retire or the plan is absent.
	// +optional
	Retire bool `json:"retire,omitempty"`
	// Nodes that the Member is to run, sorted by name.
	// +listType=map
	// +listMapKey=name
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Nodes []PlanNode `json:"nodes,omitempty"`
	// Members of the Consortium, sorted by name.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Members []PlanMember `json:"members,omitempty"`
	// LineDefaults are for stored plans only, as ChannelDefaults are.
	// +optional
	LineDefaults *PlanLineDefaults `json:"lineDefaults,omitempty"`
	// Lines from this Member to others, sorted by name.
	// +listType=map
	// +listMapKey=name
	// +optional
	// +kubebuilder:validation:MaxItems=1024
	Lines []PlanLine `json:"lines,omitempty"`
	// ChannelDefaults are for stored plans only, so that what most channels share is stored once: decoding a MemberPlan
	// fills them into the channels.
	// +optional
	ChannelDefaults *PlanChannelDefaults `json:"channelDefaults,omitempty"`
	// Channels, sorted by name.
	// +listType=map
	// +listMapKey=name
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Channels []PlanChannel `json:"channels,omitempty"`
	// Contracts, sorted by channel and name.
	// +listType=map
	// +listMapKey=channel
	// +listMapKey=name
	// +optional
	// +kubebuilder:validation:MaxItems=512
	Contracts []PlanContract `json:"contracts,omitempty"`
}

// MSPID is the name on the ledger of a Member that the plan lists: the chosen one, or NAMEMSP.
func (s *MemberPlanSpec) MSPID(member string) string {
	for i := range s.Members {
		if m := &s.Members[i]; m.Name == member && m.MSPID != "" {
			return m.MSPID
		}
	}
	return MSPID(member)
}

// MemberPlan is what one Member has to do for one Consortium. Its name is the Consortium's; on the host it is in the
// Member's namespace, in the Member's cluster its mirror is in the agent's.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=mplan,categories=hanse
// +kubebuilder:printcolumn:name="Member",type=string,JSONPath=`.spec.member`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type MemberPlan struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   MemberPlanSpec   `json:"spec"`
	Status MemberPlanStatus `json:"status,omitempty"`

	// Undecodable lists the stored values that could not be decoded into this type.
	Undecodable Undecodable `json:"-"`
}

// MemberPlanList is a list of MemberPlans.
// +kubebuilder:object:root=true
type MemberPlanList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MemberPlan `json:"items"`
}
