package nodes

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// AgentRole is the ClusterRole with what the agent may do in a consortium's namespace. The agent has no such rights
// elsewhere: it binds the role to itself in each namespace that it makes.
const AgentRole = "hanse-member-agent-consortium"

// Agent is the agent's service account.
type Agent struct{ Namespace, ServiceAccount string }

// Namespace lists a consortium's namespace and the agent's rights in it, in the order of creation.
func Namespace(plan *v1alpha1.MemberPlan, agent Agent) []client.Object {
	labels := planLabels(plan)
	labels["pod-security.kubernetes.io/enforce"] = "restricted"
	labels["pod-security.kubernetes.io/warn"] = "restricted"
	return []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: plan.Spec.Namespace, Labels: labels}},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: "hanse-member-agent", Labels: planLabels(plan)},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: AgentRole},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: agent.Namespace, Name: agent.ServiceAccount}},
		},
	}
}
