package nodes

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func podWaiting(reason, message string) corev1.Pod {
	return corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
		Name: "peer", Image: "example.com/peer:1", RestartCount: 4,
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 2, Reason: "Error"}},
	}}}}
}

func TestDiagnose(t *testing.T) {
	old := podWaiting("ImagePullBackOff", "")
	old.CreationTimestamp = metav1.NewTime(time.Unix(1, 0))
	fresh := corev1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(time.Unix(2, 0))}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	initial := podWaiting("", "")
	initial.Status.ContainerStatuses, initial.Status.InitContainerStatuses = nil, podWaiting("CrashLoopBackOff", "").Status.ContainerStatuses
	for _, row := range []struct {
		why    string
		pods   []corev1.Pod
		claims []corev1.PersistentVolumeClaim
		reason string
		words  []string
	}{
		{"the pod does not exist yet", nil, nil, v1alpha1.ReasonProgressing, []string{"not been created"}},
		{"the image is not there", []corev1.Pod{podWaiting("ImagePullBackOff", "")}, nil, v1alpha1.ReasonImagePull, []string{"example.com/peer:1", "cannot be pulled"}},
		{"the image's name is invalid", []corev1.Pod{podWaiting("InvalidImageName", "")}, nil, v1alpha1.ReasonImagePull, []string{"check its name"}},
		{"it is in CrashLoopBackOff", []corev1.Pod{podWaiting("CrashLoopBackOff", "")}, nil, v1alpha1.ReasonFailed, []string{"peer", "4 restarts", "exit code 2", "see its log"}},
		{"a container that comes first counts too", []corev1.Pod{initial}, nil, v1alpha1.ReasonFailed, []string{"4 restarts"}},
		{"something that it mounts is missing", []corev1.Pod{podWaiting("CreateContainerConfigError", `secret "x" not found`)}, nil, v1alpha1.ReasonFailed, []string{`secret "x" not found`}},
		{"it cannot be scheduled", []corev1.Pod{{Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes: insufficient memory"},
		}}}}, nil, v1alpha1.ReasonWaiting, []string{"unschedulable", "insufficient memory"}},
		{"only the newest pod counts", []corev1.Pod{old, fresh}, nil, v1alpha1.ReasonProgressing, []string{"runs and is not ready"}},
		{"an unbound volume takes precedence over the pod", []corev1.Pod{podWaiting("ContainerCreating", "")}, []corev1.PersistentVolumeClaim{{
			ObjectMeta: metav1.ObjectMeta{Name: "data-peer0-org1-0"}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
		}}, v1alpha1.ReasonProgressing, []string{"data-peer0-org1-0", "not bound"}},
		{"its volume is lost", nil, []corev1.PersistentVolumeClaim{{Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimLost}}}, v1alpha1.ReasonFailed, []string{"lost"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			d := Diagnose(row.pods, row.claims)
			if d.Reason != row.reason {
				t.Errorf("reason %s, want %s (%s)", d.Reason, row.reason, d.Message)
			}
			for _, word := range row.words {
				if !strings.Contains(d.Message, word) {
					t.Errorf("%q does not say %q", d.Message, word)
				}
			}
		})
	}
}

func TestDiagnoseStorage(t *testing.T) {
	class := func(name string, standard bool) storagev1.StorageClass {
		c := storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if standard {
			c.Annotations = map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}
		}
		return c
	}
	for _, row := range []struct {
		why     string
		wanted  string
		classes []storagev1.StorageClass
		fine    bool
	}{
		{"the class is there", "fast", []storagev1.StorageClass{class("slow", true), class("fast", false)}, true},
		{"the class is not there, and another one is no substitute", "fast", []storagev1.StorageClass{class("slow", true)}, false},
		{"none is named and there is a default one", "", []storagev1.StorageClass{class("slow", true)}, true},
		{"none is named and none is the default", "", []storagev1.StorageClass{class("slow", false)}, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			d := diagnoseStorage(v1alpha1.Storage{ClassName: row.wanted}, row.classes)
			if fine := d.Reason == ""; fine != row.fine || (!fine && d.Reason != v1alpha1.ReasonStorageClassMissing) {
				t.Errorf("got %+v", d)
			}
		})
	}
}
