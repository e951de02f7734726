package consortium

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// StatementsRole is the ClusterRole, installed by the chart, with an agent's permissions in the namespaces for statements. The
// controller may bind it without having its permissions.
const StatementsRole = "hanse-statements"

// quotaName is the name of the ResourceQuota in a namespace for statements.
const quotaName = "statements"

// statementAccess are the objects that give a Consortium's Members a place for their statements.
type statementAccess struct {
	Namespace *corev1.Namespace
	Binding   *rbacv1.RoleBinding
	Quota     *corev1.ResourceQuota
}

// statementsAccess lists them: the namespace, the binding of StatementsRole to the registered keys of all Members (nobody
// before registration), and the quota. Pure.
func statementsAccess(in plan.Input) statementAccess {
	name := v1alpha1.StatementsNamespace(in.Consortium.Name)
	namespace := &corev1.Namespace{ObjectMeta: ofConsortium(in.Consortium, "", name)}
	namespace.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	count := statementCount(len(in.Consortium.Spec.Members), len(in.Channels))
	return statementAccess{
		Namespace: namespace,
		Binding: &rbacv1.RoleBinding{
			ObjectMeta: ofConsortium(in.Consortium, name, StatementsRole),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: StatementsRole},
			Subjects:   registeredKeys(in),
		},
		Quota: &corev1.ResourceQuota{
			ObjectMeta: ofConsortium(in.Consortium, name, quotaName),
			Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
				"count/statements." + v1alpha1.GroupName: *resource.NewQuantity(count, resource.DecimalSI),
			}},
		},
	}
}

const (
	// statementsEach is how many statements of one Member, kind and subject may exist: the two that an agent keeps (see
	// statement.Surplus), and a third while it replaces the older of them.
	statementsEach = 3
	// memberKinds are the kinds of statements that every Member has one of: Record and Holdings.
	memberKinds = 2
	// genesisSigners is how many Members publish a channel's first block: its Leader, and one who was asked for it.
	genesisSigners = 2
	// channelStep is what the number of channels is rounded up to, so that a new one seldom changes the quota.
	channelStep = 32
)

// statementCount is how many statements a Consortium's namespace may hold: 204 with two Members and a few channels, 1,920
// with 64 Members and 256 channels. It bounds what a Member's agent can store on the host, at MaxStatementBytes each.
func statementCount(members, channels int) int64 {
	rounded := max(1, (channels+channelStep-1)/channelStep) * channelStep
	return int64(statementsEach * (memberKinds*members + genesisSigners*rounded))
}

// registeredKeys are the users of the Members' registered keys, sorted.
func registeredKeys(in plan.Input) []rbacv1.Subject {
	var users []string
	for _, m := range in.Consortium.Spec.Members {
		member := in.Members[m.Name]
		if member == nil || member.Status.Registration == nil || member.Status.Registration.KeyFingerprint == "" {
			continue
		}
		users = append(users, v1alpha1.MemberKeyUser(m.Name, member.Status.Registration.KeyFingerprint))
	}
	slices.Sort(users)
	var subjects []rbacv1.Subject
	for _, user := range users {
		subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user})
	}
	return subjects
}

// ofConsortium is the metadata of an object that belongs to a Consortium. A cluster-scoped object cannot have it as an owner.
func ofConsortium(c *v1alpha1.Consortium, namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{
		v1alpha1.LabelManagedBy:           v1alpha1.ManagedBy,
		v1alpha1.LabelConsortium:          c.Name,
		v1alpha1.LabelConsortiumNamespace: c.Namespace,
		v1alpha1.LabelConsortiumUID:       string(c.UID),
	}}
}

// belongsTo is whether an object was made for this very Consortium, and not for one of the same name before or elsewhere.
func belongsTo(object metav1.Object, c *v1alpha1.Consortium) bool {
	for key, value := range ofConsortium(c, "", "").Labels {
		if object.GetLabels()[key] != value {
			return false
		}
	}
	return true
}
