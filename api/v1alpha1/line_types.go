package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Reasons of a Line's Ready condition.
const (
	// ReasonLineUp: both ends reach each other.
	ReasonLineUp = "Up"
	// ReasonLineDown: an end that is online reports that it does not reach the other.
	ReasonLineDown = "Down"
	// ReasonAddressTaken: an older Line has the same two addresses.
	ReasonAddressTaken = "AddressTaken"
	// ReasonLineNotAllowed: an organization's own chart (gateway.lines) does not let its gateway dial the line's far end.
	ReasonLineNotAllowed = "NotAllowed"
	// ReasonLineFull: a gateway is at its limit and rejects further connections over a line.
	ReasonLineFull = "Full"
)

// LineEnd is where a line ends at one Member.
type LineEnd struct {
	// Member at this end.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Member string `json:"member"`
	// Address at which the other end reaches this Member's gateway: an IP address or a DNS name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="isIP(self) || self.matches('^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$')",message="not reachable from other clusters: give an IP address or a DNS name, without scheme or port"
	// +kubebuilder:validation:XValidation:rule="!isIP(self) || ip(self).isGlobalUnicast()",message="not reachable from other clusters: a loopback, link-local, multicast or unspecified address is local to each cluster; give the address at which the other end reaches this Member's gateway"
	// +kubebuilder:validation:XValidation:rule="!self.lowerAscii().matches('(^|[.])(localhost|localdomain|local|localhost6|ip6-localhost|ip6-loopback|svc|hanse)$')",message="not reachable from other clusters: the name is local to each cluster; give the name or address at which the other end reaches this Member's gateway"
	Address string `json:"address"`
	// Port of the gateway at Address.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +kubebuilder:default=7443
	// +optional
	Port int32 `json:"port,omitempty"`
}

// LineSpec declares a dedicated line between two Members.
// +kubebuilder:validation:XValidation:rule="self.ends.all(e, oldSelf.ends.exists(o, o.member == e.member))",message="a line cannot move to other Members: declare another Line, and delete this one"
// +kubebuilder:validation:XValidation:rule="self.ends.size() != 2 || self.ends[0].member != self.ends[1].member",message="a line joins two Members: give its ends to two different ones"
type LineSpec struct {
	// Priority among the lines between the same two Members: the healthy line with the lowest number carries the traffic.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:default=100
	// +optional
	Priority int32 `json:"priority,omitempty"`
	// Ends of the line, one at each of two Members.
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=2
	// +listType=map
	// +listMapKey=member
	Ends []LineEnd `json:"ends"`
}

// LineStatus is what the two ends report.
type LineStatus struct {
	// ObservedGeneration is the generation that this status is about; 0 until the host has looked at the object.
	// +kubebuilder:default=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Ends are the reports of the ends, by the Member that made them.
	// +listType=map
	// +listMapKey=from
	// +optional
	Ends []LineEndStatus `json:"ends,omitempty"`
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// GetConditions lists the conditions in the status.
func (in LineStatus) GetConditions() []metav1.Condition { return in.Conditions }

// LineEndStatus is one end's report.
type LineEndStatus struct {
	// From is the Member that reports.
	From string `json:"from"`
	// State of the line from that Member to the other.
	State LineState `json:"state"`
	// RTTMicroseconds is the round trip in microseconds.
	// +optional
	RTTMicroseconds int64 `json:"rttMicroseconds,omitempty"`
	// Active is true when traffic takes this line.
	// +optional
	Active bool `json:"active,omitempty"`
	// Reason says why the line is not up, or what it lacks; empty when nothing is wrong.
	// +optional
	Reason LineReason `json:"reason,omitempty"`
}

// Line is a dedicated line between two Members.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=ln,categories=hanse
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.spec.ends[0].member`
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.spec.ends[1].member`
// +kubebuilder:printcolumn:name="Priority",type=integer,JSONPath=`.spec.priority`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="RTT-us",type=integer,JSONPath=`.status.ends[0].rttMicroseconds`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Line struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec LineSpec `json:"spec"`
	// +kubebuilder:default={}
	// +optional
	Status LineStatus `json:"status,omitempty"`

	// Undecodable lists the stored values that could not be decoded into this type.
	Undecodable Undecodable `json:"-"`
}

// LineList is a list of Lines.
// +kubebuilder:object:root=true
type LineList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Line `json:"items"`
}
