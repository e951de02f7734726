package host

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// MemberConfigMap in the agent's namespace holds the name of the Member that this cluster belongs to.
	MemberConfigMap = "hanse-member"
	// MemberKey is its key with the Member's name.
	MemberKey = "name"
)

// EnsureMember fails if the agent is started for another Member than the one that this cluster belongs to; the first start
// decides. Under another name the organization's root, its nodes' certificates and its mirrors would be created anew.
func EnsureMember(ctx context.Context, own client.Client, namespace, member string) error {
	key := client.ObjectKey{Namespace: namespace, Name: MemberConfigMap}
	err := own.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: MemberConfigMap,
			Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
		},
		Data: map[string]string{MemberKey: member},
	})
	if err == nil {
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("store the member's name in ConfigMap %s: %w", key, err)
	}
	var cm corev1.ConfigMap
	if err := own.Get(ctx, key, &cm); err != nil {
		return fmt.Errorf("read the member's name in ConfigMap %s: %w", key, err)
	}
	if was := cm.Data[MemberKey]; was != member {
		return fmt.Errorf("this cluster is member %s's (ConfigMap %s in namespace %s), and the agent was started as member %s: set member.name=%s again; if another organization is really to take over this cluster, take everything of %s down first and delete the namespace %s with its identity",
			was, MemberConfigMap, namespace, member, was, was, namespace)
	}
	return nil
}
