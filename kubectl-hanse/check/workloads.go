package check

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// components says whether the charts' Deployments are available, and of one version.
func components(f Facts) []Result {
	var results []Result
	var names, expected []string
	versions := map[string][]string{}
	if f.Host {
		expected = append(expected, "federation")
	}
	if f.Member {
		expected = append(expected, "member-agent", "gateway")
	}
	for _, name := range expected {
		found := false
		for _, d := range f.Deployments {
			if d.Namespace != f.Namespace || d.Name != name {
				continue
			}
			found = true
			names = append(names, name)
			v := cmp.Or(d.Labels["app.kubernetes.io/version"], "unknown")
			versions[v] = append(versions[v], name)
			wanted := int32(1)
			if d.Spec.Replicas != nil {
				wanted = *d.Spec.Replicas
			}
			if available := d.Status.AvailableReplicas; available < wanted {
				text, remedy := "%d of %d replicas of %s are available", fmt.Sprintf("kubectl -n %s get pods; kubectl -n %s describe deployment %s", f.Namespace, f.Namespace, name)
				if available == 0 {
					results = append(results, failed(remedy, text, available, wanted, name))
				} else {
					results = append(results, warning(remedy, text, available, wanted, name))
				}
			}
		}
		if !found {
			results = append(results, failed("install it again with helm, or name the namespace that it is in: --release-namespace", "there is no Deployment %s in namespace %s", name, f.Namespace))
		}
	}
	if len(versions) > 1 {
		results = append(results, failed("helm upgrade: one chart brings both, and they speak with each other", "components of one release differ in their versions: %s", describe(versions)))
	}
	for v := range versions {
		if skew := skew(f.Plugin, v); skew != "" && len(versions) == 1 {
			results = append(results, skipped("use a plugin of the same version where something is not understood", "this plugin is %s, and the cluster has %s", f.Plugin, v))
		}
	}
	if len(results) == 0 {
		results = append(results, ok("%s available, version %s", list(names), describe(versions)))
	}
	return results
}

func describe(versions map[string][]string) string {
	var parts []string
	for v, names := range versions {
		if len(versions) == 1 {
			return v
		}
		parts = append(parts, strings.Join(names, " and ")+" "+v)
	}
	if len(parts) > 1 && parts[0] > parts[1] {
		parts[0], parts[1] = parts[1], parts[0]
	}
	return strings.Join(parts, ", ")
}

// skew is how two versions differ, if both can be read.
func skew(a, b string) string {
	first, errFirst := version.ParseGeneric(a)
	second, errSecond := version.ParseGeneric(b)
	if errFirst != nil || errSecond != nil || first.EqualTo(second) {
		return ""
	}
	return a + " and " + b
}

// manyRestarts is from how many restarts of a container on its pod is worth a look.
const manyRestarts = 5

// podsRun says which containers do not run, and which have been restarted often.
func podsRun(f Facts) []Result {
	var results []Result
	for _, p := range f.Pods {
		if p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodSucceeded {
			continue
		}
		name := p.Namespace + "/" + p.Name
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
				results = append(results, failed(fmt.Sprintf("kubectl -n %s describe pod %s: resources, taints, volumes", p.Namespace, p.Name), "pod %s is not scheduled: %s", name, c.Message))
			}
		}
		for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
			logs := fmt.Sprintf("kubectl -n %s logs %s -c %s --previous", p.Namespace, p.Name, c.Name)
			if waits := c.State.Waiting; waits != nil && waits.Reason != "ContainerCreating" && waits.Reason != "PodInitializing" {
				remedy := logs
				if strings.Contains(waits.Reason, "Image") {
					remedy = "correct the image's name, or give the cluster a pull secret for its registry: docs/operating.md, Images"
				}
				results = append(results, failed(remedy, "container %s of pod %s: %s, %s", c.Name, name, waits.Reason, firstLine(waits.Message)))
			} else if c.RestartCount >= manyRestarts {
				results = append(results, warning(logs, "container %s of pod %s was restarted %d times", c.Name, name, c.RestartCount))
			}
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d pods run, none of them restarted %d times", len(f.Pods), manyRestarts)}
	}
	return results
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	return text
}

// nodesRun says which StatefulSets of ledger nodes are not ready.
func nodesRun(f Facts) []Result {
	var results []Result
	count := 0
	for _, s := range f.StatefulSets {
		if s.Labels[v1alpha1.LabelNode] == "" {
			continue
		}
		count++
		if s.Spec.Replicas == nil || s.Status.ReadyReplicas < *s.Spec.Replicas {
			results = append(results, failed(fmt.Sprintf("kubectl -n %s describe pod %s-0; kubectl -n %s logs %s-0", s.Namespace, s.Name, s.Namespace, s.Name), "node %s/%s is not ready", s.Namespace, s.Name))
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d nodes are ready", count)}
	}
	return results
}

// volumesBound says which volumes of nodes are not there yet.
func volumesBound(f Facts) []Result {
	var results []Result
	for _, v := range f.Volumes {
		switch v.Status.Phase {
		case corev1.ClaimBound:
		case corev1.ClaimLost:
			results = append(results, failed("the volume behind it is gone: restore it from a snapshot, or have the node made anew, docs/operating.md, Backup", "PersistentVolumeClaim %s/%s has lost its volume", v.Namespace, v.Name))
		default:
			results = append(results, failed(fmt.Sprintf("kubectl -n %s describe pvc %s: its StorageClass, and whether a provisioner works for it", v.Namespace, v.Name), "PersistentVolumeClaim %s/%s is not bound", v.Namespace, v.Name))
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d volumes are bound", len(f.Volumes))}
	}
	return results
}
