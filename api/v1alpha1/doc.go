// Package v1alpha1 holds the kinds of the API group federation.hanse.io: what people declare on the host (Member, Line,
// Consortium, Channel, Contract), what the host computes for one Member (MemberPlan), and the signed facts that
// Members publish about themselves (Record). Condition types and reasons stand beside the kind they belong to.
//
// It must know nothing of controllers, ledgers or networks: it imports apimachinery and k8s.io/api types only.
//
// +kubebuilder:object:generate=true
// +groupName=federation.hanse.io
package v1alpha1
