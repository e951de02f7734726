package reconcile

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TestWithoutForeignValues: of a Secret that is not Hanse's the agent keeps no value in memory, but its keys.
func TestWithoutForeignValues(t *testing.T) {
	for _, row := range []struct {
		why    string
		labels map[string]string
		value  string
	}{
		{"an identity of the organization's nodes", map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}, "key"},
		{"one for a contract", map[string]string{v1alpha1.LabelContractEnv: "deals.notary"}, ""},
		{"any other", nil, ""},
	} {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "s", Labels: row.labels, Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "key"}},
			Data:       map[string][]byte{"k": []byte("key")},
		}
		withoutForeignValues(secret)
		kept := secret.DeepCopy() // as readers get it
		if value, ok := kept.Data["k"]; !ok || value == nil || string(value) != row.value {
			t.Errorf("%s: value %q, %t", row.why, value, ok)
		}
		if foreign := row.value == ""; foreign == (len(kept.Annotations) > 0) {
			t.Errorf("%s: annotations %v", row.why, kept.Annotations)
		}
	}
}
