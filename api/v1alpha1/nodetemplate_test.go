package v1alpha1

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestNodeTemplates(t *testing.T) {
	memory := func(limit string) *corev1.ResourceRequirements {
		return &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(limit)}}
	}
	for _, c := range []struct {
		why      string
		from, to NodeTemplate
		restarts bool
		says     string
	}{
		{"nothing", NodeTemplate{Image: "p1"}, NodeTemplate{Image: "p1"}, false, ""},
		{"the same amount in another unit", NodeTemplate{Resources: memory("1024Mi")}, NodeTemplate{Resources: memory("1Gi")}, false, ""},
		{"an image", NodeTemplate{Image: "p1"}, NodeTemplate{Image: "p2"}, true, "image p2"},
		{"the state database's", NodeTemplate{Image: "p1", StateDatabaseImage: "c1"}, NodeTemplate{Image: "p1", StateDatabaseImage: "c2"}, true, "image c2"},
		{"memory", NodeTemplate{Resources: memory("1Gi")}, NodeTemplate{Resources: memory("2Gi")}, true, "memory limit 2Gi"},
		{"back to the default resources", NodeTemplate{Resources: memory("1Gi")}, NodeTemplate{}, true, "the default resources"},
		{"to none at all", NodeTemplate{}, NodeTemplate{Resources: &corev1.ResourceRequirements{}}, true, "no requests and limits"},
		{"all at once", NodeTemplate{Image: "p1"}, NodeTemplate{Image: "p2", LogLevel: "debug", Resources: memory("1Gi")}, true, "image p2, memory limit 1Gi, log level debug"},
		{"back to the default log level", NodeTemplate{LogLevel: "debug"}, NodeTemplate{}, true, "log level as by default"},
	} {
		if got := c.from.Difference(c.to); got != c.says {
			t.Errorf("%s: %q, want %q", c.why, got, c.says)
		}
		if got := !c.from.Equal(c.to); got != c.restarts {
			t.Errorf("%s: restarts: %v", c.why, got)
		}
	}
	if got := (NodeTemplate{Image: "p1", StateDatabaseImage: "c1"}).Settings(); got != "" {
		t.Errorf("images are no settings: %q", got)
	}
}
