package nodes

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/hanse-io/hanse/ledger"
)

func TestRestartReasons(t *testing.T) {
	before := Desired(plan, peer(nil), nil).StatefulSet.Spec.Template
	for _, row := range []struct {
		why    string
		change func(*ledger.Workload)
		want   string
	}{
		{"nothing changes", func(*ledger.Workload) {}, ""},
		{"a log level: the variable, without its value", func(w *ledger.Workload) {
			w.Pod.Containers[0].Env = []corev1.EnvVar{{Name: "FABRIC_LOGGING_SPEC", Value: "debug"}}
		}, "variable FABRIC_LOGGING_SPEC"},
		{"memory", func(w *ledger.Workload) {
			w.Pod.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}
		}, "limits of peer"},
		{"an image, and files with it", func(w *ledger.Workload) {
			w.Pod.Containers[0].Image = "peer:2"
			w.Files = map[string]string{"core.yaml": "a: 2"}
		}, "image peer:2, its certificates or files have changed"},
		{"other nodes beside it", func(w *ledger.Workload) {
			w.Pod.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}}
		}, "it is to keep apart from other nodes than before"},
	} {
		after := Desired(plan, peer(row.change), nil).StatefulSet.Spec.Template
		if got := strings.Join(restartReasons(&before, &after), ", "); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}
