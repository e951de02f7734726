//go:build integration

package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/ledger"
)

// startCluster runs an API server, and the controllers that give StatefulSets their volumes and collect what has no
// owner any more.
func startCluster(t *testing.T) client.Client {
	t.Helper()
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	if err != nil {
		t.Fatalf("start an API server: %v", err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	user, err := env.AddUser(envtest.User{Name: "controllers", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	manager := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kube-controller-manager"), "--kubeconfig", file,
		"--leader-elect=false", "--secure-port=0", "--kube-api-qps=200", "--kube-api-burst=400",
		"--controllers=statefulset-controller,garbage-collector-controller,namespace-controller,persistentvolumeclaim-protection-controller,deployment-controller,replicaset-controller,resourcequota-controller")
	log, err := os.Create(filepath.Join(t.TempDir(), "controllers.log"))
	if err != nil {
		t.Fatal(err)
	}
	manager.Stdout, manager.Stderr = log, log
	if err := manager.Start(); err != nil {
		t.Fatalf("start the controllers: %v", err)
	}
	t.Cleanup(func() {
		_ = manager.Process.Kill()
		_ = manager.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("controllers: %.4000s", text)
		}
	})
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// consortium is one plan in a namespace of its own, with a phase that looks after it.
type consortium struct {
	client.Client
	plan  *v1alpha1.MemberPlan
	phase *Phase
}

func newConsortium(t *testing.T, c client.Client, name string, reclaim v1alpha1.ReclaimPolicy) *consortium {
	t.Helper()
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
		Member: "org1", Consortium: name, Namespace: "hanse-" + name,
		Nodes: []v1alpha1.PlanNode{{Name: "peer0-org1", Role: v1alpha1.RolePeer, Storage: v1alpha1.Storage{ReclaimPolicy: reclaim, ClassName: "any"}}},
	}}
	it := &consortium{Client: c, plan: plan, phase: &Phase{
		Agent: Agent{Namespace: "hanse-system", ServiceAccount: "member-agent"}, Gateway: "gateway.example",
		Applier: apply.New(c, "test", time.Now), Direct: c, Now: time.Now,
	}}
	for _, obj := range Namespace(plan, it.phase.Agent) {
		if err := it.phase.Applier.Apply(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	return it
}

func (c *consortium) workloads() []ledger.Workload {
	return []ledger.Workload{{
		Name: "peer0-org1", Node: &c.plan.Spec.Nodes[0], Secrets: []string{"peer0-org1-tls"},
		Ports: []corev1.ServicePort{{Name: "peer", Port: 7051}},
		Pod: restrictedPod(corev1.Container{
			Name: "peer", Image: "peer:1", VolumeMounts: []corev1.VolumeMount{{Name: ledger.DataVolume, MountPath: "/data"}},
		}),
	}}
}

// restrictedPod is what a consortium's namespace lets in.
func restrictedPod(c corev1.Container) corev1.PodSpec {
	no, yes := false, true
	c.SecurityContext = &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	return corev1.PodSpec{Containers: []corev1.Container{c}}
}

var issued = map[string]string{"peer0-org1-tls": "1"}

// waitForNodes has the node deployed, with its claim owned as the plan has it.
func (c *consortium) waitForNodes(t *testing.T, owned bool) {
	t.Helper()
	eventually(t, "the node and its volume", func(ctx context.Context) error {
		result, err := c.phase.Ensure(ctx, c, c.plan, c.workloads(), issued)
		if err != nil {
			return err
		}
		claim, err := c.claim(ctx)
		if err != nil {
			return fmt.Errorf("%w: %s", err, result.Message)
		}
		if err == nil && (len(claim.OwnerReferences) > 0) != owned {
			err = fmt.Errorf("owners: %v", claim.OwnerReferences)
		}
		return err
	})
}

func (c *consortium) claim(ctx context.Context) (*corev1.PersistentVolumeClaim, error) {
	var claim corev1.PersistentVolumeClaim
	err := c.Get(ctx, client.ObjectKey{Namespace: c.plan.Spec.Namespace, Name: "data-peer0-org1-0"}, &claim)
	return &claim, err
}

// retire takes everything down. No kubelet runs here: pods that are to end are ended by the test.
func (c *consortium) retire(t *testing.T) Retired {
	t.Helper()
	var result Retired
	eventually(t, "everything down", func(ctx context.Context) error {
		var err error
		if result, err = c.phase.Retire(ctx, c.plan); err != nil {
			return err
		}
		if !result.Done {
			return errors.New(result.Waiting)
		}
		return nil
	})
	return result
}

func eventually(t *testing.T, what string, holds func(context.Context) error) {
	t.Helper()
	err := errors.New("not tried")
	if wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 4*time.Minute, true, func(ctx context.Context) (bool, error) {
		err = holds(ctx)
		return err == nil, nil
	}) != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// What the organization keeps is kept, whatever the host has done before, and whatever has kept the agent from applying it.
func TestVolumes(t *testing.T) {
	c := startCluster(t)
	if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-system"}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "any"}, Provisioner: "example.com/none"}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why     string
		reclaim v1alpha1.ReclaimPolicy
		change  func(c *consortium)
		kept    int
	}{
		{"deleted where that was asked for and allowed", v1alpha1.ReclaimDelete, func(*consortium) {}, 0},
		{"kept by a policy that is switched on after the plan said retire", v1alpha1.ReclaimDelete, func(c *consortium) { c.phase.KeepVolumes = true }, 1},
		{"kept by a plan that never said otherwise", v1alpha1.ReclaimRetain, func(*consortium) {}, 1},
		{"not turned over to deletion by a plan that changes", v1alpha1.ReclaimRetain, func(c *consortium) {
			c.plan.Spec.Nodes[0].Storage.ReclaimPolicy = v1alpha1.ReclaimDelete
			if _, err := c.phase.Ensure(t.Context(), c, c.plan, c.workloads(), issued); err != nil {
				t.Error(err)
			}
		}, 1},
		{"not by leaving the node out of the plan either", v1alpha1.ReclaimDelete, func(c *consortium) { c.plan.Spec.Nodes = nil }, 1},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			name := "v" + strings.ToLower(strings.Map(func(r rune) rune {
				if r == ' ' {
					return -1
				}
				return r
			}, row.why))[:20]
			it := newConsortium(t, c, name, row.reclaim)
			it.waitForNodes(t, row.reclaim == v1alpha1.ReclaimDelete)
			row.change(it)
			if result := it.retire(t); result.Kept != row.kept {
				t.Fatalf("%d volumes are kept, not %d", result.Kept, row.kept)
			}
			var space corev1.Namespace
			if err := c.Get(t.Context(), client.ObjectKey{Name: "hanse-" + name}, &space); err != nil && !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
			if gone := space.Name == "" || space.DeletionTimestamp != nil; gone != (row.kept == 0) {
				t.Errorf("the namespace is being deleted: %v", gone)
			}
			if row.kept == 0 {
				return
			}
			// The collector has had its say about a marker that was made after the StatefulSet had gone.
			checkGarbageCollection(t, c, "hanse-"+name)
			claim, err := it.claim(t.Context())
			if err != nil || claim.DeletionTimestamp != nil {
				t.Fatalf("the volume: %v, %v", claim.DeletionTimestamp, err)
			}
		})
	}
	t.Run("kept at a node that waits for its certificates when the policy is switched on", func(t *testing.T) {
		it := newConsortium(t, c, "waits", v1alpha1.ReclaimDelete)
		it.waitForNodes(t, true)
		it.phase.KeepVolumes = true
		eventually(t, "the claim is freed, though the node is not applied", func(ctx context.Context) error {
			if _, err := it.phase.Ensure(ctx, it, it.plan, it.workloads(), nil); err != nil {
				return err
			}
			claim, err := it.claim(ctx)
			if err == nil && len(claim.OwnerReferences) > 0 {
				err = fmt.Errorf("owners: %v", claim.OwnerReferences)
			}
			return err
		})
	})
	t.Run("a namespace with a volume of somebody else's stays", func(t *testing.T) {
		it := newConsortium(t, c, "foreign", v1alpha1.ReclaimDelete)
		it.waitForNodes(t, true)
		foreign := &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: it.plan.Spec.Namespace, Name: "theirs"},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
			},
		}
		if err := c.Create(t.Context(), foreign); err != nil {
			t.Fatal(err)
		}
		if result := it.retire(t); result.Kept != 1 {
			t.Errorf("%d are kept", result.Kept)
		}
		var space corev1.Namespace
		if err := c.Get(t.Context(), client.ObjectKey{Name: it.plan.Spec.Namespace}, &space); err != nil || space.DeletionTimestamp != nil {
			t.Errorf("the namespace: %v, %v", space.DeletionTimestamp, err)
		}
	})
	t.Run("a volume that is to grow", func(t *testing.T) { checkExpansion(t, c) })
	t.Run("a node that starts from a first block is made once that is pinned", func(t *testing.T) { checkFirstBlock(t, c) })
	t.Run("one contract that the API server rejects, and one whose pods a quota does", func(t *testing.T) { checkRejections(t, c) })
}

// checkFirstBlock has a node wait for a channel's first block, and then the controllers make a pod that mounts it.
func checkFirstBlock(t *testing.T, c client.Client) {
	it := newConsortium(t, c, "starts", v1alpha1.ReclaimRetain)
	workloads := it.workloads()
	workloads[0].FirstBlocks = []string{"goods"}
	container := &workloads[0].Pod.Containers[0]
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: ledger.FirstBlocksVolume, MountPath: "/first"})
	result, err := it.phase.Ensure(t.Context(), it, it.plan, workloads, issued)
	if err != nil || result.Reason != v1alpha1.ReasonWaiting || !strings.Contains(result.Message, "waiting for the first block of channel goods") {
		t.Fatalf("without one: %+v, %v", result, err)
	}
	key := client.ObjectKey{Namespace: it.plan.Spec.Namespace, Name: "peer0-org1"}
	if err := c.Get(t.Context(), key, &appsv1.StatefulSet{}); !apierrors.IsNotFound(err) {
		t.Fatalf("without one the node is made: %v", err)
	}
	digests := map[string]string{"peer0-org1-tls": "1", ledger.FirstBlockName("goods"): "aa"}
	if result, err = it.phase.Ensure(t.Context(), it, it.plan, workloads, digests); err != nil {
		t.Fatalf("with it: %+v, %v", result, err)
	}
	eventually(t, "the node's pod", func(ctx context.Context) error {
		var pod corev1.Pod
		if err := c.Get(ctx, client.ObjectKey{Namespace: key.Namespace, Name: "peer0-org1-0"}, &pod); err != nil {
			return err
		}
		if !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
			return v.Projected != nil && len(v.Projected.Sources) == 1 && v.Projected.Sources[0].ConfigMap.Name == "first-block.goods"
		}) {
			return fmt.Errorf("it mounts %+v", pod.Spec.Volumes)
		}
		return nil
	})
}

// checkGarbageCollection waits until the garbage collector has deleted something that lost its owner just now.
func checkGarbageCollection(t *testing.T, c client.Client, namespace string) {
	t.Helper()
	marker := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: "marker",
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "gone", UID: "00000000-0000-0000-0000-000000000001"}},
	}}
	if err := c.Create(t.Context(), marker); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the garbage collector", func(ctx context.Context) error {
		err := c.Get(ctx, client.ObjectKeyFromObject(marker), &corev1.ConfigMap{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("the marker is there"))
	})
}

// checkRejections has a real API server and real controllers say no to some of a plan, which is to say so, while the rest runs.
func checkRejections(t *testing.T, c client.Client) {
	it := newConsortium(t, c, "rejects", v1alpha1.ReclaimRetain)
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: it.plan.Spec.Namespace, Name: "small"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceRequestsMemory: resource.MustParse("1Gi")}},
	}
	if err := c.Create(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	contract := func(name string, requests, limits string) ledger.Workload {
		w := ledger.Workload{
			Name: "goods-" + name, Contract: &v1alpha1.PlanContract{Name: name, Channel: "goods"},
			Ports: []corev1.ServicePort{{Name: "contract", Port: 9999}},
			Pod:   restrictedPod(corev1.Container{Name: "contract", Image: "contract:1"}),
		}
		w.Pod.Containers[0].Resources = corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(requests)},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(limits)},
		}
		return w
	}
	all := append(it.workloads(), contract("bad", "2Gi", "1Gi"), contract("greedy", "8Gi", "8Gi"), contract("good", "32Mi", "64Mi"))
	eventually(t, "every one says how it does", func(ctx context.Context) error {
		result, err := it.phase.Ensure(ctx, it, it.plan, all, issued)
		if err != nil {
			return err
		}
		if result.Failed == nil {
			return errors.New("nothing is tried again")
		}
		for name, want := range map[string]string{"bad": "must be less than or equal to memory limit", "greedy": "exceeded quota"} {
			at := slices.IndexFunc(result.Contracts, func(c Contract) bool { return c.Name == name })
			if got := result.Contracts[at]; got.Reason != v1alpha1.ReasonRejected || !strings.Contains(got.Message, want) {
				return fmt.Errorf("%s: %q %q", name, got.Reason, got.Message)
			}
		}
		for _, name := range []string{"goods-good", "goods-greedy"} {
			if err := c.Get(ctx, client.ObjectKey{Namespace: it.plan.Spec.Namespace, Name: name}, &appsv1.Deployment{}); err != nil {
				return err
			}
		}
		// The node's own pod asks for no memory, which a quota for memory does not let through: its StatefulSet says so in an
		// Event.
		if result.Reason != v1alpha1.ReasonRejected || !strings.Contains(result.Message, "quota") {
			return fmt.Errorf("the node: %q %q", result.Reason, result.Message)
		}
		return nil
	})
}
