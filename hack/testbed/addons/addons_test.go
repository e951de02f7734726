package addons

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func find(t *testing.T, kind, name string) *unstructured.Unstructured {
	t.Helper()
	objects, err := Objects()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return nil
}

func TestObjects(t *testing.T) {
	tests := []struct {
		why, kind, name string
		path            []string
		want            string
	}{
		{"kubelets tell pods this address", "Service", "kube-dns", []string{"spec", "clusterIP"}, topology.DNSService},
		{"claims that name no class are served", "StorageClass", "local",
			[]string{"metadata", "annotations", "storageclass.kubernetes.io/is-default-class"}, "true"},
		{"the provisioner goes by this name", "StorageClass", "local", []string{"provisioner"}, "testbed/local"},
	}
	for _, tt := range tests {
		if got, _, err := unstructured.NestedString(find(t, tt.kind, tt.name).Object, tt.path...); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v", tt.why, got, err)
		}
	}
}
