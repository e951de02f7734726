package nodes

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// restartReasons says what of a pod's template changes so that the pod is restarted; nothing if it is not. Values of variables
// are left out.
func restartReasons(current, desired *corev1.PodTemplateSpec) []string {
	var reasons []string
	before := slices.Concat(current.Spec.InitContainers, current.Spec.Containers)
	for _, c := range slices.Concat(desired.Spec.InitContainers, desired.Spec.Containers) {
		at := slices.IndexFunc(before, func(o corev1.Container) bool { return o.Name == c.Name })
		if at < 0 {
			reasons = append(reasons, "container "+c.Name+" is new")
			continue
		}
		reasons = append(reasons, containerReasons(&before[at], &c)...)
	}
	if current.Annotations[annotationContent] != desired.Annotations[annotationContent] {
		reasons = append(reasons, "its certificates or files have changed")
	}
	if !equality.Semantic.DeepEqual(current.Spec.Affinity, desired.Spec.Affinity) {
		reasons = append(reasons, "it is to keep apart from other nodes than before")
	}
	return reasons
}

func containerReasons(before, after *corev1.Container) []string {
	var reasons []string
	if before.Image != after.Image {
		reasons = append(reasons, "image "+after.Image)
	}
	for _, list := range []struct {
		noun          string
		before, after corev1.ResourceList
	}{{"requests", before.Resources.Requests, after.Resources.Requests}, {"limits", before.Resources.Limits, after.Resources.Limits}} {
		if !equality.Semantic.DeepEqual(list.before, list.after) {
			reasons = append(reasons, fmt.Sprintf("%s of %s", list.noun, after.Name))
		}
	}
	for _, v := range after.Env {
		at := slices.IndexFunc(before.Env, func(o corev1.EnvVar) bool { return o.Name == v.Name })
		if at < 0 || before.Env[at].Value != v.Value {
			reasons = append(reasons, "variable "+v.Name)
		}
	}
	return reasons
}
