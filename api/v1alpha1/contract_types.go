package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ContractTemplate names a contract that ships with Hanse.
// +kubebuilder:validation:Enum=notary;asset
type ContractTemplate string

const (
	// TemplateNotary notarizes data: it keeps digests with who put them there and when.
	TemplateNotary ContractTemplate = "notary"
	// TemplateAsset keeps accounts: issue, transfer, balance.
	TemplateAsset ContractTemplate = "asset"
)

// ContractSpec declares the code that runs on a Channel.
// +kubebuilder:validation:XValidation:rule="has(self.template) != has(self.image)",message="say either template, for a contract that ships with Hanse, or image, for your own: exactly one of the two"
// +kubebuilder:validation:XValidation:rule="self.channel == oldSelf.channel",message="a contract cannot move to another channel: declare another Contract"
type ContractSpec struct {
	// Channel that the contract runs on, in the same namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Channel string `json:"channel"`
	// Name of the contract on the ledger, by which applications call it. The object's own name when empty. It lets two
	// channels have a contract of the same name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=50
	// +optional
	Name string `json:"name,omitempty"`
	// Template is a contract that ships with Hanse.
	// +optional
	Template ContractTemplate `json:"template,omitempty"`
	// Image of a contract of your own, which serves chaincode-as-a-service on port 9999. Another image is another definition,
	// which every organization approves. Organizations that approve by hand take images by digest only:
	// registry.example.com/contract:1.0@sha256:...
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$')",message="not a valid image reference: write [registry/]name[:tag][@sha256:…], the name in lower case, without https://"
	// +optional
	Image string `json:"image,omitempty"`
	// Version that the organizations approve. Change it with the image.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.+-]{1,32}$')",message="a version is 1 to 32 letters, digits and the signs _ . + -, without blanks: write one such as 1.0, in quotes"
	// +kubebuilder:default="1.0"
	// +optional
	Version string `json:"version,omitempty"`
	// Endorsement policy of this contract; the channel's when empty.
	// +optional
	Endorsement *EndorsementPolicy `json:"endorsement,omitempty"`
	// Collections of private data: what only some of the channel's members hold. Once the contract has been committed, no
	// collection can be removed and no blockToLive changed, because the ledger does not allow it.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Collections []Collection `json:"collections,omitempty"`
	// Resources of the contract's container.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// Env is the contract's own environment, beside what its shim expects (CORE_PEER_LOCALMSPID, CHAINCODE_ID and others).
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Env []ContractEnvVar `json:"env,omitempty"`
	// Replicas of the contract in each Member's cluster. All of them serve one package behind one Service.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=8
	// +kubebuilder:default=1
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`
	// TLS makes the peers speak TLS to the contract, which finds its key pair in the files that CHAINCODE_TLS_KEY and
	// CHAINCODE_TLS_CERT name. Say false for an image that cannot; the peers then speak plain text to it.
	// +kubebuilder:default=true
	// +optional
	TLS *bool `json:"tls,omitempty"`
}

// ContractEnvVar is one variable of a contract's environment: a value, or a key of a Secret in the organization's cluster.
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.secretKeyRef)",message="say either value or secretKeyRef: exactly one of the two"
// +kubebuilder:validation:XValidation:rule="self.name.matches('^[A-Za-z_][A-Za-z0-9_]*$')",message="the name of an environment variable is made of letters, digits and underscores, and does not begin with a digit"
// +kubebuilder:validation:XValidation:rule="!self.name.startsWith('CORE_') && !self.name.startsWith('CHAINCODE_')",message="names that begin with CORE_ or CHAINCODE_ are set by the agent: use another name"
type ContractEnvVar struct {
	// Name of the variable.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name"`
	// Value that is the same for every Member. The host and every Member can read it: it is no place for a secret.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Value *string `json:"value,omitempty"`
	// SecretKeyRef names a key of a Secret in the namespace hanse-CONSORTIUM of each Member's own cluster. The organization
	// makes the Secret, and labels it federation.hanse.io/contract-env=CHANNEL.CONTRACT to let that contract have it.
	// +optional
	SecretKeyRef *ContractSecretKeyRef `json:"secretKeyRef,omitempty"`
}

// ContractSecretKeyRef names one key of a Secret.
// +kubebuilder:validation:XValidation:rule="self.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="the name of a Secret is made of lower-case letters, digits, hyphens and dots"
// +kubebuilder:validation:XValidation:rule="self.key.matches('^[-._a-zA-Z0-9]+$')",message="the key of a Secret is made of letters, digits, hyphens, underscores and dots"
type ContractSecretKeyRef struct {
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// Collection is a collection of private data. Only its members' peers hold the data; the channel's ledger has hashes.
// +kubebuilder:validation:XValidation:rule="self.name.matches('^[A-Za-z0-9][A-Za-z0-9_-]*$')",message="a collection's name is made of letters, digits, hyphens and underscores, and begins with a letter or digit"
// +kubebuilder:validation:XValidation:rule="!has(self.maxPeers) || !has(self.requiredPeers) || self.requiredPeers <= self.maxPeers",message="requiredPeers cannot be more than maxPeers: raise maxPeers, or lower requiredPeers"
type Collection struct {
	// Name by which the contract calls the collection.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name"`
	// Members that hold the data, among the channel's.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=40
	Members []string `json:"members"`
	// RequiredPeers is how many other peers have to have the data before a peer endorses the transaction.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	RequiredPeers int32 `json:"requiredPeers,omitempty"`
	// MaxPeers is to how many other peers the endorsing one sends the data at once. The others fetch it. As many as there
	// are other members when empty, and at least requiredPeers.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MaxPeers *int32 `json:"maxPeers,omitempty"`
	// BlockToLive is after how many blocks the data are purged. They stay when it is 0.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9007199254740991
	// +kubebuilder:default=0
	// +optional
	BlockToLive int64 `json:"blockToLive,omitempty"`
	// MemberOnlyRead and MemberOnlyWrite let only clients of the collection's members read and write through the contract.
	// True when empty.
	// +optional
	MemberOnlyRead *bool `json:"memberOnlyRead,omitempty"`
	// +optional
	MemberOnlyWrite *bool `json:"memberOnlyWrite,omitempty"`
	// Endorsement policy of writes to the collection; the contract's when empty. Majority, All and Any are meant among the
	// collection's members.
	// +optional
	Endorsement *EndorsementPolicy `json:"endorsement,omitempty"`
}

// ContractStatus is the progress of the contract.
type ContractStatus struct {
	// ObservedGeneration is the generation that this status is about; 0 until the host has looked at the object.
	// +kubebuilder:default=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Sequence of the definition that is declared: the one that it has on the ledger, or is to have next.
	// +optional
	Sequence int64 `json:"sequence,omitempty"`
	// DefinitionHash is the hash of what Sequence was given for.
	// +optional
	DefinitionHash string `json:"definitionHash,omitempty"`
	// Settled is whether the ledger has held what is declared under Sequence. What somebody commits by other means after
	// that is not undone: status.differs has the difference.
	// +optional
	Settled bool `json:"settled,omitempty"`
	// Committed is the sequence of the definition that most members' peers have on the ledger, whoever committed it.
	// +optional
	Committed int64 `json:"committed,omitempty"`
	// Differs says in what the definition on the ledger differs from the one that is declared; empty when it is the same.
	// +optional
	Differs string `json:"differs,omitempty"`
	// Running, Approved and Serving are "so many/all members". A member serves when its own peer answers for the contract.
	// +optional
	Running string `json:"running,omitempty"`
	// +optional
	Serving string `json:"serving,omitempty"`
	// +optional
	Approved string `json:"approved,omitempty"`
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// GetConditions lists the conditions in the status.
func (in ContractStatus) GetConditions() []metav1.Condition { return in.Conditions }

// Contract is the code that runs on a Channel.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ctr,categories=hanse
// +kubebuilder:printcolumn:name="Channel",type=string,JSONPath=`.spec.channel`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Sequence",type=integer,JSONPath=`.status.committed`
// +kubebuilder:printcolumn:name="Approved",type=string,JSONPath=`.status.approved`
// +kubebuilder:printcolumn:name="Running",type=string,JSONPath=`.status.running`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="(has(self.spec.name) ? self.spec.name : self.metadata.name).matches('^[a-z]([a-z0-9-]*[a-z0-9])?$') && size(has(self.spec.name) ? self.spec.name : self.metadata.name) + size(self.spec.channel) <= 50",message="contract and channel together name a Deployment, CHANNEL-CONTRACT: keep both within 50 characters in all, of lower-case letters, digits and hyphens, beginning with a letter"
// +kubebuilder:validation:XValidation:rule="(has(self.spec.name) ? self.spec.name : self.metadata.name) == (has(oldSelf.spec.name) ? oldSelf.spec.name : oldSelf.metadata.name)",message="the name on the ledger cannot change, because applications and the ledger know the contract by it: declare another Contract"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.committed) || oldSelf.status.committed == 0 || !has(oldSelf.spec.collections) || oldSelf.spec.collections.all(o, has(self.spec.collections) && self.spec.collections.exists(c, c.name == o.name))",message="a collection cannot be removed once the contract has been committed, because the ledger keeps the hashes of what was in it: leave it in spec.collections"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.committed) || oldSelf.status.committed == 0 || !has(oldSelf.spec.collections) || !has(self.spec.collections) || self.spec.collections.all(c, oldSelf.spec.collections.all(o, o.name != c.name || (has(o.blockToLive) ? o.blockToLive : 0) == (has(c.blockToLive) ? c.blockToLive : 0)))",message="blockToLive of a collection cannot change once the contract has been committed: declare another collection"
type Contract struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ContractSpec `json:"spec"`
	// +kubebuilder:default={}
	// +optional
	Status ContractStatus `json:"status,omitempty"`

	// Undecodable lists the stored values that could not be decoded into this type.
	Undecodable Undecodable `json:"-"`
}

// LedgerName is the name of the contract on the ledger.
func (in *Contract) LedgerName() string {
	if in.Spec.Name != "" {
		return in.Spec.Name
	}
	return in.Name
}

// ContractList is a list of Contracts.
// +kubebuilder:object:root=true
type ContractList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Contract `json:"items"`
}
