package nodes

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

func mirrored(image string) string { return "mirror/" + image }

// Nodes and contracts are pulled under another reference and with the organization's Secrets; what the host is told, and what
// ledgers have, stays as declared.
func TestPull(t *testing.T) {
	contract := ledger.Workload{
		Name: "goods-notary", Contract: &v1alpha1.PlanContract{Name: "notary", Channel: "goods", Image: "notary:1"},
		Pod: corev1.PodSpec{Containers: []corev1.Container{{Name: "contract", Image: "notary:1"}}},
	}
	node := peer(func(w *ledger.Workload) {
		w.Node.Image = "peer:1"
		w.Pod.InitContainers = []corev1.Container{{Name: "init", Image: "init:1"}}
	})
	pull := Pull{Reference: mirrored, Secrets: []string{"registry"}}
	pods := map[string]corev1.PodSpec{
		"node":     pull.desired(plan, node, nil).StatefulSet.Spec.Template.Spec,
		"contract": pull.desired(plan, contract, nil).Deployment.Spec.Template.Spec,
	}
	for name, pod := range pods {
		for _, c := range append(pod.InitContainers, pod.Containers...) {
			if !strings.HasPrefix(c.Image, "mirror/") {
				t.Errorf("%s: container %s is pulled as %s", name, c.Name, c.Image)
			}
		}
		if len(pod.ImagePullSecrets) != 1 || pod.ImagePullSecrets[0].Name != "registry" {
			t.Errorf("%s: pulled with %v", name, pod.ImagePullSecrets)
		}
	}
	if node.Pod.Containers[0].Image != "peer:1" || len(node.Pod.ImagePullSecrets) != 0 {
		t.Errorf("the driver's own workload has changed: %+v", node.Pod)
	}

	set := pull.desired(plan, node, nil)
	if image, _ := runningImages(set, set.StatefulSet); image != "peer:1" {
		t.Errorf("the host is told of %s", image)
	}
	if image, _ := runningImages(pull.desired(plan, peer(func(w *ledger.Workload) { w.Node.Image = "peer:2" }), map[string]string{"peer0-org1-tls": "2"}), set.StatefulSet); image != "peer:1" {
		t.Errorf("before its turn comes, the host is told of %s", image)
	}
	without := Pull{}.desired(plan, node, nil)
	if without.Revision != Desired(plan, node, nil).Revision || without.StatefulSet.Annotations[annotationImage] != "" {
		t.Error("without a registry of one's own, nothing may change: every node would restart")
	}
	if without.Revision == set.Revision {
		t.Error("another registry is a change, which nodes take up one by one")
	}
}

func TestPullSecret(t *testing.T) {
	secret := func(kind corev1.SecretType, labels map[string]string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "somewhere", Name: "registry", Labels: labels}, Type: kind,
			Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte("{}")}}
	}
	ours := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	for _, row := range []struct {
		why             string
		source, current *corev1.Secret
		copied          bool
		problem         string
	}{
		{"it is copied", secret(corev1.SecretTypeDockerConfigJson, nil), &corev1.Secret{}, true, ""},
		{"and kept the same", secret(corev1.SecretTypeDockerConfigJson, nil), secret(corev1.SecretTypeDockerConfigJson, ours), true, ""},
		{"the organization's own stays as it is", secret(corev1.SecretTypeDockerConfigJson, nil), secret(corev1.SecretTypeDockerConfigJson, nil), false, ""},
		{"a node's certificate is not overwritten", secret(corev1.SecretTypeDockerConfigJson, nil), secret(corev1.SecretTypeTLS, ours), false, "another name"},
		{"nothing else than access to registries is copied", secret(corev1.SecretTypeOpaque, nil), &corev1.Secret{}, false, "docker-registry"},
		{"no key of the agent's either", secret(corev1.SecretTypeTLS, ours), &corev1.Secret{}, false, "docker-registry"},
	} {
		copied, problem := pullSecret(plan, row.source, row.current)
		if (copied != nil) != row.copied || (problem == "") != (row.problem == "") || !strings.Contains(problem, row.problem) {
			t.Errorf("%s: %v, %q", row.why, copied, problem)
		}
		if copied != nil && (copied.Namespace != plan.Spec.Namespace || copied.Type != row.source.Type || len(copied.Data) == 0) {
			t.Errorf("%s: the copy is %+v", row.why, copied)
		}
	}
}
