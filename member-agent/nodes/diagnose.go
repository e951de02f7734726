package nodes

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Diagnosis is why a workload is not ready; empty for one that is.
type Diagnosis struct{ Reason, Message string }

// IsFault is whether a reason needs a person, as opposed to one that resolves itself.
func IsFault(reason string) bool {
	return reason != "" && reason != v1alpha1.ReasonProgressing && reason != v1alpha1.ReasonWaiting
}

// Diagnose says why the pods of a workload are not ready.
func Diagnose(pods []corev1.Pod, claims []corev1.PersistentVolumeClaim) Diagnosis {
	for _, claim := range claims {
		if d := diagnoseClaim(&claim); d.Reason != "" {
			return d
		}
	}
	if len(pods) == 0 {
		return Diagnosis{v1alpha1.ReasonProgressing, "its pod has not been created yet"}
	}
	// The newest pod is the one of the current revision.
	newest := slices.MaxFunc(pods, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return diagnosePod(&newest)
}

func diagnoseClaim(claim *corev1.PersistentVolumeClaim) Diagnosis {
	class := "the default StorageClass"
	if claim.Spec.StorageClassName != nil && *claim.Spec.StorageClassName != "" {
		class = "StorageClass " + *claim.Spec.StorageClassName
	}
	switch claim.Status.Phase {
	case corev1.ClaimLost:
		return Diagnosis{v1alpha1.ReasonFailed, fmt.Sprintf("its volume is lost: the PersistentVolume of PersistentVolumeClaim %s does not exist; restore the volume", claim.Name)}
	case corev1.ClaimPending:
		return Diagnosis{v1alpha1.ReasonProgressing, fmt.Sprintf("PersistentVolumeClaim %s is not bound yet: %s has to provide a volume of %s", claim.Name, class, claim.Spec.Resources.Requests.Storage())}
	}
	return Diagnosis{}
}

func diagnosePod(pod *corev1.Pod) Diagnosis {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return Diagnosis{v1alpha1.ReasonWaiting, "pod unschedulable: " + c.Message}
		}
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if d := diagnoseContainer(&c); d.Reason != "" {
			return d
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return Diagnosis{v1alpha1.ReasonFailed, "its pod has failed: " + pod.Status.Reason + " " + pod.Status.Message}
	}
	if pod.Status.Phase == corev1.PodRunning {
		return Diagnosis{v1alpha1.ReasonProgressing, "its pod runs and is not ready yet"}
	}
	return Diagnosis{v1alpha1.ReasonProgressing, "its pod is starting"}
}

func diagnoseContainer(c *corev1.ContainerStatus) Diagnosis {
	waiting := c.State.Waiting
	if waiting == nil {
		return Diagnosis{}
	}
	switch waiting.Reason {
	case "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		return Diagnosis{v1alpha1.ReasonImagePull, fmt.Sprintf("the image %s cannot be pulled: check its name, and that this cluster may pull it (%s)", c.Image, waiting.Reason)}
	case "CrashLoopBackOff":
		return Diagnosis{v1alpha1.ReasonFailed, fmt.Sprintf("container %s: CrashLoopBackOff, %d restarts%s: see its log", c.Name, c.RestartCount, lastExit(c))}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return Diagnosis{v1alpha1.ReasonFailed, fmt.Sprintf("container %s cannot be started: %s", c.Name, waiting.Message)}
	}
	return Diagnosis{}
}

func lastExit(c *corev1.ContainerStatus) string {
	ended := c.LastTerminationState.Terminated
	if ended == nil {
		return ""
	}
	return fmt.Sprintf(", the last one after exit code %d (%s)", ended.ExitCode, ended.Reason)
}

// diagnoseStorage says whether the cluster can provision a node's volume, before anything is created that needs it.
func diagnoseStorage(storage v1alpha1.Storage, classes []storagev1.StorageClass) Diagnosis {
	if storage.ClassName == "" {
		if slices.ContainsFunc(classes, isDefault) {
			return Diagnosis{}
		}
		return Diagnosis{v1alpha1.ReasonStorageClassMissing, "the cluster has no default StorageClass: mark one as default, or name one in the consortium's spec.nodes.storage.className"}
	}
	if slices.ContainsFunc(classes, func(c storagev1.StorageClass) bool { return c.Name == storage.ClassName }) {
		return Diagnosis{}
	}
	return Diagnosis{v1alpha1.ReasonStorageClassMissing, fmt.Sprintf("the cluster has no StorageClass %s: create it, or name another one for this member in the consortium's spec.members[].nodes.storage.className", storage.ClassName)}
}

func isDefault(c storagev1.StorageClass) bool {
	return c.Annotations["storageclass.kubernetes.io/is-default-class"] == "true"
}

// isAvailable says whether a Deployment has rolled out its current revision.
func isAvailable(d *appsv1.Deployment) bool {
	return d != nil && d.Status.ObservedGeneration >= d.Generation && d.Status.AvailableReplicas >= 1 &&
		d.Status.UpdatedReplicas >= 1 && d.Status.Replicas == d.Status.UpdatedReplicas
}

// diagnoseDeployment says why a contract does not run. The Deployment's conditions say why pods cannot be created, such as
// because of a quota.
func diagnoseDeployment(d *appsv1.Deployment, pods []corev1.Pod) Diagnosis {
	if d != nil {
		for _, c := range d.Status.Conditions {
			if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
				return Diagnosis{v1alpha1.ReasonRejected, "pod cannot be created: " + truncate(c.Message)}
			}
		}
	}
	return Diagnose(pods, nil)
}

// diagnoseAPIError distinguishes errors of the API server about the object, which has to be changed or allowed, from those
// that may disappear with a retry.
func diagnoseAPIError(err error) Diagnosis {
	if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err) {
		return Diagnosis{v1alpha1.ReasonRejected, "rejected by this cluster: " + truncate(err.Error())}
	}
	return Diagnosis{v1alpha1.ReasonFailed, truncate(err.Error())}
}

// truncate limits a text to 512 bytes.
func truncate(text string) string {
	const most = 512
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
