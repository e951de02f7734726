package gather

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// kind is what is gathered of each namespace, or of the whole cluster.
type kind struct {
	group, version, kind, plural string
}

var (
	// hanseKinds are Hanse's own kinds, wherever they are.
	hanseKinds = func() []kind {
		var all []kind
		for _, name := range [][2]string{{"Member", "members"}, {"Line", "lines"}, {"Consortium", "consortia"}, {"Channel", "channels"}, {"Contract", "contracts"},
			{"MemberPlan", "memberplans"}, {"Statement", "statements"}, {"ConsortiumDefinition", "consortiumdefinitions"}} {
			all = append(all, kind{v1alpha1.GroupName, v1alpha1.GroupVersion.Version, name[0], name[1]})
		}
		return all
	}()
	// clusterKinds belong to no namespace.
	clusterKinds = []kind{{"storage.k8s.io", "v1", "StorageClass", "storageclasses"}, {"certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests"}}
	// namespacedKinds are read in Hanse's namespaces. Secrets are none of them: see secrets.go.
	namespacedKinds = []kind{
		{"", "v1", "Pod", "pods"}, {"apps", "v1", "Deployment", "deployments"}, {"apps", "v1", "StatefulSet", "statefulsets"}, {"apps", "v1", "ReplicaSet", "replicasets"},
		{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"}, {"", "v1", "Service", "services"}, {"", "v1", "ConfigMap", "configmaps"},
		{"", "v1", "ServiceAccount", "serviceaccounts"}, {"", "v1", "ResourceQuota", "resourcequotas"}, {"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"},
		{"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"}, {"coordination.k8s.io", "v1", "Lease", "leases"},
		{"cert-manager.io", "v1", "Certificate", "certificates"}, {"cert-manager.io", "v1", "Issuer", "issuers"}, {"cert-manager.io", "v1", "CertificateRequest", "certificaterequests"},
	}
	events = kind{"", "v1", "Event", "events"}
)

// pageSize is how many objects are asked for at a time.
const pageSize = 250

// objects adds the objects of a kind; of all namespaces if there is none.
func (g *gatherer) objects(ctx context.Context, k kind, namespace string) {
	folder := "cluster"
	if namespace != "" {
		folder = fileName("namespaces", namespace)
	}
	g.bundle.add(path.Join(folder, k.plural+".yaml"), func(w io.Writer) error {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: k.group, Version: k.version, Kind: k.kind + "List"})
		for {
			err := g.cluster.Client.List(ctx, list, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(list.GetContinue()))
			if meta.IsNoMatchError(err) { // a kind that this cluster does not have is not missing
				return nil
			}
			if err != nil {
				return err
			}
			for i := range list.Items {
				if err := g.object(w, &list.Items[i]); err != nil {
					return err
				}
			}
			if list.GetContinue() == "" {
				return nil
			}
		}
	})
}

// object writes one as YAML, without what nobody reads.
func (g *gatherer) object(w io.Writer, o *unstructured.Unstructured) error {
	o.SetManagedFields(nil)
	if content, ok := g.bundle.redactor.Object(o.Object).(map[string]any); ok {
		o.Object = content
	}
	text, err := yaml.Marshal(o.Object)
	if err == nil {
		_, err = fmt.Fprintf(w, "---\n%s", text)
	}
	return err
}

// explain is why something could not be read, in a few words.
func explain(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return "forbidden: " + firstLine(err.Error())
	case apierrors.IsNotFound(err):
		return "not found: " + firstLine(err.Error())
	}
	return firstLine(err.Error())
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	return text
}
