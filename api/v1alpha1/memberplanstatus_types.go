package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PlanNodeStatus is the status of one node of the Member.
type PlanNodeStatus struct {
	// +kubebuilder:validation:MaxLength=63
	Name  string   `json:"name"`
	Role  NodeRole `json:"role"`
	Ready bool     `json:"ready"`
	// Image and StateDatabaseImage are what the node's own pod was last started with. Only together with Ready do they
	// say that the node works with them.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`
	// +kubebuilder:validation:MaxLength=512
	// +optional
	StateDatabaseImage string `json:"stateDatabaseImage,omitempty"`
	// Settings is the digest of the resources and the log level that the pod was last started with; empty for the defaults.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Settings string `json:"settings,omitempty"`
	// VolumeSize is what the node's PersistentVolumeClaim asks for.
	// +optional
	VolumeSize *resource.Quantity `json:"volumeSize,omitempty"`
	// Reason is one of the reasons of this package, such as ImageNotAllowed; empty when nothing is wrong.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says what the node waits for.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}

// PlanChannelStatus is the Member's progress with one channel.
type PlanChannelStatus struct {
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Genesis is the digest of this Member's statement with the first block. It is published by the Leader until the plan
	// names the block, and by whom the plan asks for it.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +optional
	Genesis string `json:"genesis,omitempty"`
	// GenesisHash is the hex SHA-256 of the header of the first block that this Member has checked and keeps.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	GenesisHash string `json:"genesisHash,omitempty"`
	// Steps that this Member does in the channel, by the names that the ledger's description gives them, in its order.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Steps []PlanStep `json:"steps,omitempty"`
	// Height of this Member's ledger, in blocks, where it is the highest.
	// +optional
	Height int64 `json:"height,omitempty"`
	// Reason is one of the reasons of this package, such as ImageNotAllowed; empty when nothing is wrong.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says what the channel waits for.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}

// PlanStep is the Member's progress with one step in a channel.
type PlanStep struct {
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Nodes of this Member that have done it, where each has to.
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=63
	// +optional
	Nodes []string `json:"nodes,omitempty"`
	// Done is whether all of it is done.
	// +optional
	Done bool `json:"done,omitempty"`
	// WaitingFor are the Members that have to act first, as far as it is known which.
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=63
	// +optional
	WaitingFor []string `json:"waitingFor,omitempty"`
}

// PlanContractStatus is the Member's progress with one contract.
type PlanContractStatus struct {
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// +kubebuilder:validation:MaxLength=63
	Channel string `json:"channel"`
	// PackageID of the package that this Member's peers have installed.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	PackageID string `json:"packageID,omitempty"`
	// Running is whether the contract's own workload is ready here.
	// +optional
	Running bool `json:"running,omitempty"`
	// Definition is the PlanContract's DefinitionHash that this report is about; empty until the ledger has been read.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Definition string `json:"definition,omitempty"`
	// Approved is the sequence under which this Member has approved what the plan declares.
	// +optional
	Approved int64 `json:"approved,omitempty"`
	// Committed is the sequence of the definition that this Member's peer has on the ledger, whoever committed it.
	// +optional
	Committed int64 `json:"committed,omitempty"`
	// Reason is one of the reasons of this package, such as ImageNotAllowed; empty when nothing is wrong.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Reason string `json:"reason,omitempty"`
	// Differs is how that definition differs from the plan's; empty when it is the same.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Differs string `json:"differs,omitempty"`
	// Workload is the name of the workload that serves the committed definition here.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Workload string `json:"workload,omitempty"`
	// Serving is whether this Member's own peers answer for the contract and see enough peers to endorse a transaction.
	// +optional
	Serving bool `json:"serving,omitempty"`
	// Message says what the contract waits for.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}

// PlanLineStatus is how another Member is reached, by the best of the lines to it, as this Member's own gateways find it.
type PlanLineStatus struct {
	// Member at the far end.
	// +kubebuilder:validation:MaxLength=63
	Member string `json:"member"`
	// Line that State is about; empty until a gateway has reported one.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Line string `json:"line,omitempty"`
	// State from here to there.
	State LineState `json:"state"`
	// Reverse is the state from there to here, as the far end says.
	// +optional
	Reverse LineState `json:"reverse,omitempty"`
	// Reason says why the line is not up, or what it lacks; empty when nothing is wrong.
	// +optional
	Reason LineReason `json:"reason,omitempty"`
}

// MemberPlanStatus is what the Member's agent reports.
type MemberPlanStatus struct {
	// ObservedGeneration of the plan on the host that this status is about. In the Member's own mirror it is the
	// generation of the mirror.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Phase is the first step that is not done, or Ready.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Phase string `json:"phase,omitempty"`
	// Record and Holdings are the digests of this Member's newest statements of these kinds that the host has.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +optional
	Record string `json:"record,omitempty"`
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +optional
	Holdings string `json:"holdings,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Nodes []PlanNodeStatus `json:"nodes,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	// +optional
	Channels []PlanChannelStatus `json:"channels,omitempty"`
	// +kubebuilder:validation:MaxItems=512
	// +optional
	Contracts []PlanContractStatus `json:"contracts,omitempty"`
	// Lines are how the other Members of the plan are reached to which a line is declared, sorted by Member.
	// +listType=map
	// +listMapKey=member
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Lines []PlanLineStatus `json:"lines,omitempty"`
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(c, size(c.message) <= 1024)",message="a condition's message has 1024 characters at the most"
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
