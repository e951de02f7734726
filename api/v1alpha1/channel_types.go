package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ChannelSpec declares a ledger among some of a Consortium's Members.
// +kubebuilder:validation:XValidation:rule="self == oldSelf || (has(oldSelf.batch) && ((has(oldSelf.batch.timeout) && !oldSelf.batch.timeout.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms|us|µs|ns))+$')) || (has(oldSelf.batch.absoluteMaxBytes) && !isQuantity(string(oldSelf.batch.absoluteMaxBytes))) || (has(oldSelf.batch.preferredMaxBytes) && !isQuantity(string(oldSelf.batch.preferredMaxBytes)))))",message="the rules of a channel cannot be changed here, because every member has to consent to them: declare another Channel"
// +kubebuilder:validation:XValidation:rule="!has(self.members) || !has(self.endorsement) || !has(self.endorsement.members) || self.endorsement.members.all(m, m in self.members)",message="endorsement.members names a member that is not in this channel: such a policy can never be met"
type ChannelSpec struct {
	// Consortium that the channel belongs to, in the same namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=50
	Consortium string `json:"consortium"`
	// Members of the channel; all of the Consortium's when empty.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=40
	// +optional
	Members []string `json:"members,omitempty"`
	// Endorsement is the policy of contracts that have none of their own.
	// +optional
	Endorsement *EndorsementPolicy `json:"endorsement,omitempty"`
	// Batch says when a block is cut.
	// +optional
	Batch *Batch `json:"batch,omitempty"`
}

// ChannelStatus is the progress of the channel.
type ChannelStatus struct {
	// ObservedGeneration is the generation that this status is about; 0 until the host has looked at the object.
	// +kubebuilder:default=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Members of the channel, with the default filled in.
	// +listType=set
	// +optional
	Members []string `json:"members,omitempty"`
	// GenesisHash is the hex SHA-256 of the channel's first block's header, as its Members agree on it.
	// +optional
	GenesisHash string `json:"genesisHash,omitempty"`
	// Nodes that have joined, by role.
	// +listType=map
	// +listMapKey=role
	// +optional
	Nodes []ChannelNodes `json:"nodes,omitempty"`
	// Height of the ledger: the largest number of blocks that a Member's peer reports.
	// +optional
	Height int64 `json:"height,omitempty"`
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ChannelNodes counts a channel's nodes of one role.
type ChannelNodes struct {
	Role NodeRole `json:"role"`
	// Joined is how many have joined the channel, as "joined/all".
	Joined string `json:"joined"`
}

// GetConditions lists the conditions in the status.
func (in ChannelStatus) GetConditions() []metav1.Condition { return in.Conditions }

// Channel is a ledger among some of a Consortium's Members.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=chn,categories=hanse
// +kubebuilder:printcolumn:name="Consortium",type=string,JSONPath=`.spec.consortium`
// +kubebuilder:printcolumn:name="Orderers",type=string,JSONPath=`.status.nodes[?(@.role=="Orderer")].joined`
// +kubebuilder:printcolumn:name="Peers",type=string,JSONPath=`.status.nodes[?(@.role=="Peer")].joined`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",message="a Channel's name is its name on the ledger: use at most 40 lower-case letters, digits and hyphens, beginning with a letter"
type Channel struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ChannelSpec `json:"spec"`
	// +kubebuilder:default={}
	// +optional
	Status ChannelStatus `json:"status,omitempty"`

	// Undecodable lists the stored values that could not be decoded into this type.
	Undecodable Undecodable `json:"-"`
}

// ChannelList is a list of Channels.
// +kubebuilder:object:root=true
type ChannelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Channel `json:"items"`
}
