// Package connection reads how applications connect, as the member agent has written it down in the organization's own
// cluster. It must not talk to the host, and must take nothing from a plan: what is in a plan is the host's word.
package connection

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/ledger"
)

// Connection is what the agent has written down.
type Connection struct {
	// Namespace of the consortium in this cluster.
	Namespace string
	// Profile is the ledger's connection profile as it is.
	Profile []byte
	// Missing are the Members that are not in it yet.
	Missing []string
	// Environment is the organization's own part of it.
	Environment ledger.Environment
}

// Read reads it for a consortium by the ledger's tools. command is the one that asks, for its errors.
func Read(ctx context.Context, c client.Client, tools ledger.Tools, command, consortium string) (Connection, error) {
	key := types.NamespacedName{Namespace: v1alpha1.ConsortiumNamespace(consortium), Name: v1alpha1.ConnectionConfigMap}
	var cm corev1.ConfigMap
	err := c.Get(ctx, key, &cm)
	switch {
	case apierrors.IsNotFound(err) || meta.IsNoMatchError(err):
		return Connection{}, kube.NotHere(c, command, consortium)
	case err != nil:
		return Connection{}, kube.Explain(fmt.Sprintf("read ConfigMap %s in %s", key.Name, key.Namespace), err)
	}
	out := Connection{Namespace: key.Namespace, Profile: []byte(cm.Data[v1alpha1.ConnectionProfile])}
	if out.Environment, err = tools.Environment(out.Profile); err != nil {
		return out, fmt.Errorf("ConfigMap %s in %s holds no connection profile (%w): delete it, and the agent writes it anew", key.Name, key.Namespace, err)
	}
	if missing := cm.Annotations[v1alpha1.AnnotationConnectionMissing]; missing != "" {
		out.Missing = strings.Split(missing, ",")
	}
	return out, nil
}
