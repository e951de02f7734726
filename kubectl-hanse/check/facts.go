package check

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Facts are what is in a cluster that Hanse is installed in.
type Facts struct {
	Now time.Time
	// Plugin is the plugin's own version, and Namespace that of the release.
	Plugin, Namespace string
	// Host and Member are what the cluster is; it may be both.
	Host, Member bool
	// Unread is why something could not be read, by what it is.
	Unread map[string]error

	Namespaces      []corev1.Namespace
	Deployments     []appsv1.Deployment
	StatefulSets    []appsv1.StatefulSet
	Pods            []corev1.Pod
	Volumes         []corev1.PersistentVolumeClaim
	NetworkPolicies []networkingv1.NetworkPolicy
	Certificates    []Certificate
	CRDs            []CRD
	Leases          []coordinationv1.Lease
	// Credential is when the agent's certificate on the host ends; nil if there is none.
	Credential *time.Time

	Members   []v1alpha1.Member
	Lines     []v1alpha1.Line
	Consortia []v1alpha1.Consortium
	Channels  []v1alpha1.Channel
	Contracts []v1alpha1.Contract
	Plans     []v1alpha1.MemberPlan
}

// Certificate is one of cert-manager's.
type Certificate struct {
	Namespace, Name    string
	Ready              bool
	Message            string
	NotAfter, RenewsAt time.Time
}

// CRD is one of Hanse's, as the cluster has it.
type CRD struct {
	Name        string
	There       bool
	Established bool
	Stored      []string
	// Differs is where its schema differs from that of the plugin's own version; empty if it is the same.
	Differs string
}

// Names of what can be unread, as people call it.
const (
	namespaces      = "namespaces"
	deployments     = "deployments"
	statefulSets    = "statefulsets"
	pods            = "pods"
	volumes         = "persistentvolumeclaims"
	networkPolicies = "networkpolicies"
	certificates    = "certificates"
	crds            = "customresourcedefinitions"
	leases          = "leases"
	credential      = "secret hanse-host-credential"
	members         = "members"
	lines           = "lines"
	consortia       = "consortia"
	channels        = "channels"
	contracts       = "contracts"
	plans           = "memberplans"
)

// object is one of Hanse's, as far as all are alike.
type object struct {
	kind        string
	meta        metav1.ObjectMeta
	conditions  []metav1.Condition
	undecodable v1alpha1.Undecodable
}

// name is how people write it to kubectl.
func (o object) name() string {
	if o.meta.Namespace == "" {
		return o.kind + " " + o.meta.Name
	}
	return o.kind + " " + o.meta.Namespace + "/" + o.meta.Name
}

// objects are all of Hanse's that have conditions.
func (f Facts) objects() []object {
	var all []object
	for _, o := range f.Consortia {
		all = append(all, object{"Consortium", o.ObjectMeta, o.Status.Conditions, o.Undecodable})
	}
	for _, o := range f.Channels {
		all = append(all, object{"Channel", o.ObjectMeta, o.Status.Conditions, o.Undecodable})
	}
	for _, o := range f.Contracts {
		all = append(all, object{"Contract", o.ObjectMeta, o.Status.Conditions, o.Undecodable})
	}
	for _, o := range f.Lines {
		all = append(all, object{"Line", o.ObjectMeta, o.Status.Conditions, o.Undecodable})
	}
	for _, o := range f.Members {
		all = append(all, object{"Member", o.ObjectMeta, o.Status.Conditions, o.Undecodable})
	}
	for _, o := range f.Plans {
		all = append(all, object{"MemberPlan", o.ObjectMeta, o.Status.Conditions, o.Undecodable})
	}
	return all
}
