package membership

import (
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// MemberRole is the ClusterRole, installed by the chart, with an agent's permissions in its Member's namespace. The
// controller may bind it without having its permissions.
const MemberRole = "hanse-member"

// roleName is the name of the cluster-scoped objects that belong to one Member.
func roleName(member string) string { return v1alpha1.MemberUser(member) }

// requestRoleName is the name of the ClusterRole with the permissions to request a Member's credential.
func requestRoleName(member string) string { return roleName(member) + ":request" }

// access lists a Member's namespace and the RBAC objects of its credential: access to the namespace, its own Member object
// and its own CertificateSigningRequests. They have the registered key's user as subject, and none before registration.
// Pure.
func access(member *v1alpha1.Member) []client.Object {
	var users []rbacv1.Subject
	if r := member.Status.Registration; r != nil && r.KeyFingerprint != "" {
		users = []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: v1alpha1.MemberKeyUser(member.Name, r.KeyFingerprint)}}
	}
	namespace := &corev1.Namespace{ObjectMeta: owned(member, "", v1alpha1.MemberNamespace(member.Name))}
	namespace.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	name := roleName(member.Name)
	return []client.Object{
		namespace,
		&rbacv1.RoleBinding{
			ObjectMeta: owned(member, namespace.Name, MemberRole),
			RoleRef:    clusterRole(MemberRole),
			Subjects:   users,
		},
		&rbacv1.ClusterRole{
			ObjectMeta: owned(member, "", name),
			Rules: []rbacv1.PolicyRule{
				// Listing and watching are allowed with a field selector for this one name.
				ownRule(member.Name, "members", "get", "list", "watch"),
				ownRule(member.Name, "members/status", "get", "update", "patch"),
			},
		},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: owned(member, "", name),
			RoleRef:    clusterRole(name),
			Subjects:   users,
		},
		&rbacv1.ClusterRole{
			ObjectMeta: owned(member, "", requestRoleName(member.Name)),
			Rules: []rbacv1.PolicyRule{{
				// Objects created by server-side apply have their name in the request, so that resourceNames applies.
				APIGroups: []string{certificatesv1.GroupName}, Resources: []string{"certificatesigningrequests"},
				ResourceNames: v1alpha1.RequestNames(member.Name), Verbs: []string{"get", "create", "patch", "delete"},
			}},
		},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: owned(member, "", name+":renew"),
			RoleRef:    clusterRole(requestRoleName(member.Name)),
			Subjects:   users,
		},
	}
}

// invitation lists the objects that an invited agent needs to request its credential. Pure.
func invitation(member *v1alpha1.Member) []client.Object {
	account := &corev1.ServiceAccount{
		ObjectMeta:                   owned(member, v1alpha1.MemberNamespace(member.Name), v1alpha1.InviteServiceAccount),
		AutomountServiceAccountToken: ptr.To(false),
	}
	account.Annotations = map[string]string{v1alpha1.AnnotationInvitation: member.Spec.Invitation}
	return []client.Object{
		account,
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: owned(member, "", roleName(member.Name)+":invite"),
			RoleRef:    clusterRole(requestRoleName(member.Name)),
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: account.Namespace, Name: account.Name}},
		},
	}
}

// owned is the metadata of an object that is garbage collected with its Member.
func owned(member *v1alpha1.Member, namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace,
		Name:      name,
		Labels: map[string]string{
			v1alpha1.LabelManagedBy: v1alpha1.ManagedBy,
			v1alpha1.LabelMember:    member.Name,
		},
		OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(member, v1alpha1.GroupVersion.WithKind("Member")),
		},
	}
}

func clusterRole(name string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}
}

func ownRule(member, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		APIGroups: []string{v1alpha1.GroupName}, Resources: []string{resource},
		ResourceNames: []string{member}, Verbs: verbs,
	}
}
