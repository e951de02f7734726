// Package connection reads how applications connect, as the member agent has written it down in the organization's own
// cluster. It must not talk to the host, and must take nothing from a plan: what is in a plan is the host's word.
package connection

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

// Connection is what the agent has written down.
type Connection struct {
	// Namespace of the consortium in this cluster.
	Namespace string
	// Profile is Fabric's connection profile as it is, in JSON.
	Profile []byte
	// Missing are the Members that are not in it yet.
	Missing []string
	// Member is the organization that the cluster belongs to, and MSPID its name on the ledger.
	Member, MSPID string
	// Peer and Orderer are addresses (host:port) of the first of the organization's own nodes; empty where it has none.
	Peer, Orderer string
	// TLSRoots is the PEM of the authority behind these nodes' certificates.
	TLSRoots string
}

// Read reads it for a consortium. command is the one that asks, for its errors.
func Read(ctx context.Context, c client.Client, command, consortium string) (Connection, error) {
	key := types.NamespacedName{Namespace: v1alpha1.ConsortiumNamespace(consortium), Name: v1alpha1.ConnectionConfigMap}
	var cm corev1.ConfigMap
	err := c.Get(ctx, key, &cm)
	switch {
	case apierrors.IsNotFound(err) || meta.IsNoMatchError(err):
		return Connection{}, kube.NotHere(c, command, consortium)
	case err != nil:
		return Connection{}, kube.Explain(fmt.Sprintf("read ConfigMap %s in %s", key.Name, key.Namespace), err)
	}
	out, err := parse(cm.Data[v1alpha1.ConnectionProfile])
	if err != nil {
		return out, fmt.Errorf("ConfigMap %s in %s holds no connection profile (%w): delete it, and the agent writes it anew", key.Name, key.Namespace, err)
	}
	out.Namespace = key.Namespace
	if missing := cm.Annotations[v1alpha1.AnnotationConnectionMissing]; missing != "" {
		out.Missing = strings.Split(missing, ",")
	}
	return out, nil
}

// parse takes out of a profile what is the organization's own. Pure.
func parse(text string) (Connection, error) {
	type node struct {
		URL        string `json:"url"`
		TLSCACerts struct {
			PEM string `json:"pem"`
		} `json:"tlsCACerts"`
	}
	var p struct {
		Client struct {
			Organization string `json:"organization"`
		} `json:"client"`
		Organizations map[string]struct {
			MSPID string `json:"mspid"`
		} `json:"organizations"`
		Peers    map[string]node `json:"peers"`
		Orderers map[string]node `json:"orderers"`
	}
	out := Connection{Profile: []byte(text)}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return out, err
	}
	own, known := p.Organizations[p.Client.Organization]
	if !known || own.MSPID == "" {
		return out, fmt.Errorf("its client %q is none of its organizations", p.Client.Organization)
	}
	out.Member, out.MSPID = p.Client.Organization, own.MSPID
	first := func(nodes map[string]node) string {
		var hosts []string
		for host := range nodes {
			name, _, _ := strings.Cut(host, ".")
			if word, ok := strings.CutSuffix(name, "-"+out.Member); ok && !strings.Contains(word, "-") {
				hosts = append(hosts, host)
			}
		}
		if len(hosts) == 0 {
			return ""
		}
		found := nodes[slices.Min(hosts)]
		out.TLSRoots = found.TLSCACerts.PEM
		return strings.TrimPrefix(found.URL, "grpcs://")
	}
	out.Orderer, out.Peer = first(p.Orderers), first(p.Peers)
	return out, nil
}
