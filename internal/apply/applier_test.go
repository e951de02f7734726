package apply

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Kinds without a generation are compared by what they say.
func TestDrift(t *testing.T) {
	// As an API server returns them, with what it fills in.
	const configMap = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n","namespace":"x","uid":"1","resourceVersion":"5",
		"creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"b"},"managedFields":[{"manager":"m","operation":"Apply"}]},
		"data":{"k":"v"},"binaryData":{"b":"AAE="}}`
	const service = `{"apiVersion":"v1","kind":"Service","metadata":{"name":"n","namespace":"x","uid":"1","resourceVersion":"5"},
		"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"internalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack",
		"ports":[{"name":"p","port":7051,"protocol":"TCP","targetPort":7051}],"sessionAffinity":"None","type":"ClusterIP"},"status":{"loadBalancer":{}}}`
	for _, row := range []struct {
		why     string
		object  string
		change  func(obj client.Object)
		drifted bool
	}{
		{"a ConfigMap as it was applied", configMap, func(client.Object) {}, false},
		{"metadata that the server keeps says nothing", configMap, func(o client.Object) { o.SetResourceVersion("9"); o.SetManagedFields(nil) }, false},
		{"a ConfigMap that somebody has edited", configMap, func(o client.Object) { o.(*corev1.ConfigMap).Data["k"] = "w" }, true},
		{"a label that was taken off", configMap, func(o client.Object) { o.SetLabels(nil) }, true},
		{"a Service as it was applied", service, func(client.Object) {}, false},
		{"a status is nobody's wish", service, func(o client.Object) {
			o.(*corev1.Service).Status.Conditions = []metav1.Condition{{Type: "x", Status: "True"}}
		}, false},
		{"a Service that leads elsewhere", service, func(o client.Object) { o.(*corev1.Service).Spec.Selector = map[string]string{"evil": "yes"} }, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			var u unstructured.Unstructured
			if err := json.Unmarshal([]byte(row.object), &u.Object); err != nil {
				t.Fatal(err)
			}
			sum, err := contentOf(&u, scheme.Scheme)
			if err != nil {
				t.Fatal(err)
			}
			cached, err := scheme.Scheme.New(u.GroupVersionKind())
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(row.object), cached); err != nil {
				t.Fatal(err)
			}
			obj := cached.(client.Object)
			row.change(obj)
			if got := (entry{content: sum}).drifted(obj); got != row.drifted {
				t.Errorf("drifted: %v", got)
			}
		})
	}
}
