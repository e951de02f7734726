package nodes

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

var plan = &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
	Member: "org1", Consortium: "trade", Namespace: "hanse-trade",
	Members: []v1alpha1.PlanMember{
		{Name: "org1", Nodes: []v1alpha1.PlanMemberNode{{Name: "peer0-org1"}}},
		{Name: "org2", Nodes: []v1alpha1.PlanMemberNode{{Name: "peer0-org2"}, {Name: "orderer0-org2"}}},
	},
}}

func peer(change func(*ledger.Workload)) ledger.Workload {
	w := ledger.Workload{
		Name: "peer0-org1", Node: &v1alpha1.PlanNode{Name: "peer0-org1", Role: v1alpha1.RolePeer},
		Files:   map[string]string{"core.yaml": "a: 1"},
		Secrets: []string{"peer0-org1-tls"},
		Pod: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "peer", Image: "peer:1", VolumeMounts: []corev1.VolumeMount{{Name: ledger.FilesVolume, MountPath: "/etc"}},
		}}},
	}
	if change != nil {
		change(&w)
	}
	return w
}

// TestFirstBlocks: a node that starts from its channels' first blocks waits until each is pinned, and then mounts them.
func TestFirstBlocks(t *testing.T) {
	w := peer(func(w *ledger.Workload) {
		w.FirstBlocks = []string{"goods", "deals"}
		c := &w.Pod.Containers[0]
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: ledger.FirstBlocksVolume, MountPath: "/first"})
	})
	for _, row := range []struct {
		why  string
		have []string
		want string
	}{
		{"nothing is pinned", nil, "waiting for the first block of channel goods, deals"},
		{"one is", []string{"first-block.goods"}, "waiting for the first block of channel deals"},
		{"another channel's is of no use", []string{"first-block.goods", "first-block.other"}, "waiting for the first block of channel deals"},
		{"a Secret of a channel's name is no first block", []string{"first-block.goods", "deals"}, "waiting for the first block of channel deals"},
		{"all are", []string{"first-block.goods", "first-block.deals"}, ""},
	} {
		digests := map[string]string{"peer0-org1-tls": "1"}
		for _, name := range row.have {
			digests[name] = "1"
		}
		if got := blocked(w, digests); got.Message != row.want || (got.Reason == v1alpha1.ReasonWaiting) != (row.want != "") {
			t.Errorf("%s: %+v", row.why, got)
		}
	}
	if got := blocked(w, map[string]string{"first-block.goods": "1", "first-block.deals": "1"}); got.Message != "waiting for its certificates: peer0-org1-tls" {
		t.Errorf("the first blocks are there and the certificate is not: %+v", got)
	}
	volumes := Desired(plan, w, nil).StatefulSet.Spec.Template.Spec.Volumes
	at := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == ledger.FirstBlocksVolume })
	if at < 0 || len(volumes[at].Projected.Sources) != 2 {
		t.Fatalf("mounts %+v", volumes)
	}
	if m := volumes[at].Projected.Sources[1].ConfigMap; m.Name != "first-block.deals" || m.Items[0].Path != "deals.gz" {
		t.Errorf("mounts %+v", m)
	}
	if slices.ContainsFunc(Desired(plan, peer(nil), nil).StatefulSet.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == ledger.FirstBlocksVolume }) {
		t.Error("a node that needs none mounts some")
	}
}

// What makes a node be restarted, and what does not.
func TestRevision(t *testing.T) {
	digests := map[string]string{"peer0-org1-tls": "1", "other": "1"}
	base := Desired(plan, peer(nil), digests).Revision
	for _, row := range []struct {
		why      string
		digests  map[string]string
		change   func(*ledger.Workload)
		restarts bool
	}{
		{"the same again", digests, nil, false},
		{"another one's certificate is renewed", map[string]string{"peer0-org1-tls": "1", "other": "2"}, nil, false},
		{"its own certificate is renewed", map[string]string{"peer0-org1-tls": "2"}, nil, true},
		{"a file changes, which a running process does not read again", digests, func(w *ledger.Workload) { w.Files["core.yaml"] = "a: 2" }, true},
		{"the image changes", digests, func(w *ledger.Workload) { w.Pod.Containers[0].Image = "peer:2" }, true},
		{"a larger volume is asked for, which needs no restart", digests, func(w *ledger.Workload) {
			w.Node.Storage.Size = ptr.To(resource.MustParse("50Gi"))
		}, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := Desired(plan, peer(row.change), row.digests).Revision
			if restarts := got != base; restarts != row.restarts {
				t.Errorf("restarts: %v", restarts)
			}
		})
	}
}

func TestDesiredNode(t *testing.T) {
	set := Desired(plan, peer(func(w *ledger.Workload) { w.Node.Storage.ReclaimPolicy = v1alpha1.ReclaimDelete }), nil).StatefulSet
	policy := set.Spec.PersistentVolumeClaimRetentionPolicy
	if policy.WhenDeleted != appsv1.DeletePersistentVolumeClaimRetentionPolicyType || policy.WhenScaled != appsv1.RetainPersistentVolumeClaimRetentionPolicyType {
		t.Errorf("a node whose volume is to be deleted has %+v", policy)
	}
	kept := Desired(plan, peer(nil), nil).StatefulSet.Spec.PersistentVolumeClaimRetentionPolicy
	if kept.WhenDeleted != appsv1.RetainPersistentVolumeClaimRetentionPolicyType {
		t.Errorf("volumes are kept unless the plan says otherwise, got %+v", kept)
	}
	if *set.Spec.Replicas != 1 || set.Spec.Template.Spec.Volumes[0].ConfigMap.Name != "peer0-org1" || *set.Spec.Template.Spec.AutomountServiceAccountToken {
		t.Errorf("got %+v", set.Spec)
	}
	for _, obj := range Desired(plan, peer(nil), nil).Supporting {
		if s, ok := obj.(*corev1.Service); ok && !s.Spec.PublishNotReadyAddresses {
			t.Error("nodes have to find each other before they are ready")
		}
	}
}

// Claim templates cannot change: a StatefulSet that is there keeps those that it has.
func TestWithCurrentClaims(t *testing.T) {
	old := Desired(plan, peer(nil), nil).StatefulSet
	larger := Desired(plan, peer(func(w *ledger.Workload) { w.Node.Storage.Size = ptr.To(resource.MustParse("50Gi")) }), nil).StatefulSet
	size := func(s *appsv1.StatefulSet) string {
		return s.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage().String()
	}
	if got := size(withCurrentClaims(larger, old)); got != "5Gi" {
		t.Errorf("with one there: %s", got)
	}
	if got := size(withCurrentClaims(larger, nil)); got != "50Gi" {
		t.Errorf("with none there: %s", got)
	}
}

func TestRemote(t *testing.T) {
	services := Remote(plan, "gateway.hanse-system.svc.cluster.local")
	if len(services) != 2 {
		t.Fatalf("own nodes have Services of their own: got %d", len(services))
	}
	for _, obj := range services {
		s := obj.(*corev1.Service)
		if s.Spec.Type != corev1.ServiceTypeExternalName || s.Spec.ExternalName != "gateway.hanse-system.svc.cluster.local" {
			t.Errorf("%s leads to %+v", s.Name, s.Spec)
		}
	}
}

// Whether a volume goes is not for the plan alone to say.
func TestKeepsVolume(t *testing.T) {
	goes := peer(func(w *ledger.Workload) { w.Node.Storage.ReclaimPolicy = v1alpha1.ReclaimDelete })
	made := func(w ledger.Workload) *observed {
		return &observed{sets: map[string]*appsv1.StatefulSet{w.Name: Desired(plan, w, nil).StatefulSet}}
	}
	outlived := &observed{claims: map[string][]corev1.PersistentVolumeClaim{goes.Name: {{}}}}
	for _, row := range []struct {
		why  string
		keep bool
		w    ledger.Workload
		seen *observed
		want v1alpha1.ReclaimPolicy
	}{
		{"the plan's word counts for a new node where the organization has none", false, goes, &observed{}, v1alpha1.ReclaimDelete},
		{"and for one that was made so", false, goes, made(goes), v1alpha1.ReclaimDelete},
		{"the organization's word counts", true, goes, &observed{}, v1alpha1.ReclaimRetain},
		{"also when it comes late", true, goes, made(goes), v1alpha1.ReclaimRetain},
		{"and says nothing new where volumes stay anyway", true, peer(nil), &observed{}, ""},
		{"the plan alone does not turn a node whose volume stays into one whose volume goes", false, goes, made(peer(nil)), v1alpha1.ReclaimRetain},
		{"nor does it by a StatefulSet that is made anew", false, goes, outlived, v1alpha1.ReclaimRetain},
		{"the plan may always turn to keeping", false, peer(nil), made(goes), ""},
	} {
		phase := Phase{KeepVolumes: row.keep}
		got := phase.withRetention(&pass{observed: row.seen, notes: map[string]string{}}, row.w).Node.Storage.ReclaimPolicy
		if got != row.want {
			t.Errorf("%s: %q", row.why, got)
		}
	}
	if goes.Node.Storage.ReclaimPolicy != v1alpha1.ReclaimDelete {
		t.Error("the workload itself was changed")
	}
	contract := ledger.Workload{Contract: &v1alpha1.PlanContract{}}
	if got := (&Phase{KeepVolumes: true}).withRetention(&pass{observed: &observed{}}, contract); got.Node != nil {
		t.Error("a contract has become a node")
	}
}
