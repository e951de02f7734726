package nodes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Applier writes desired objects.
type Applier interface {
	Apply(ctx context.Context, obj client.Object) error
}

// Phase runs the workloads of plans.
type Phase struct {
	Agent Agent
	// Gateway is the DNS name of the gateway's Service, to which the names of other members' nodes resolve.
	Gateway string
	Applier Applier
	// Direct reads and deletes without a cache, in the consortium's namespaces and among the StorageClasses.
	Direct client.Client
	// KeepVolumes keeps all volumes of deleted nodes, whatever the plan says.
	KeepVolumes bool
	// Planners of the ledgers that the agent knows, for the ports of their nodes.
	Planners ledger.Planners
	// Network configures the network policies.
	Network Network
	// Pull says from where, and with which Secrets, images are pulled.
	Pull Pull
	Now  func() time.Time

	// policiesRemoved are the namespaces whose policies have been deleted because they are disabled.
	policiesRemoved sync.Map
}

// Result is the state of a plan's workloads.
type Result struct {
	Nodes []v1alpha1.PlanNodeStatus
	// Contracts are the states of the contracts' workloads.
	Contracts []Contract
	// Reason and Message of the first node that is not ready; empty when all are.
	Reason, Message string
	// Restarts are the running nodes that are being restarted now.
	Restarts []Restart
	// Failed joins the errors of single workloads, which do not stop the others: the caller has to requeue.
	Failed error
}

// Restart is a running node that is restarted, and what has changed.
type Restart struct{ Node, Why string }

// Contract is the state of one contract's workload.
type Contract struct {
	Name, Channel string
	// Running is whether the workload is ready as the plan has it.
	Running bool
	// Refused is whether the organization does not allow it as the plan has it. An earlier one may be running.
	Refused bool
	// Reason and Message say what it waits for.
	Reason, Message string
}

// pass is the state of one reconciliation: desired and observed objects, and what blocks each workload.
type pass struct {
	plan     *v1alpha1.MemberPlan
	observed *observed
	sets     []Set
	// blocked says by workload why it is not applied; notes are messages about workloads that are.
	blocked  map[string]Diagnosis
	notes    map[string]string
	restarts []Restart
	// sharedFault is the first failure of an object that belongs to no workload; failed holds every failure.
	sharedFault Diagnosis
	failed      []error
}

// addError adds an error of a workload.
func (t *pass) addError(name string, err error) {
	t.failed = append(t.failed, err)
	if t.blocked[name].Reason == "" {
		t.blocked[name] = diagnoseAPIError(err)
	}
}

// Ensure applies the plan's workloads to the consortium's namespace. reader reads that namespace; digests are those of
// the certificates that have been issued and of the first blocks that have been pinned. A workload waits until it has all that
// it needs of both; one that the cluster rejects has the error in its status and blocks no other.
func (p *Phase) Ensure(ctx context.Context, reader client.Reader, plan *v1alpha1.MemberPlan, workloads []ledger.Workload, digests map[string]string) (Result, error) {
	current, err := observe(ctx, reader, plan.Spec.Namespace)
	if err != nil {
		return Result{}, err
	}
	t := &pass{plan: plan, observed: current, blocked: map[string]Diagnosis{}, notes: map[string]string{}}
	t.addSharedError(p.ensureAllRetained(ctx, plan, current))
	t.addSharedError(p.applyEach(ctx, slices.Concat(Budgets(plan), Remote(plan, p.Gateway))))
	t.addSharedError(p.policies(ctx, plan))
	t.addSharedError(p.ensurePullSecrets(ctx, reader, plan))
	for _, w := range workloads {
		env, d := environment(ctx, reader, plan.Spec.Namespace, w)
		set := p.Pull.desired(plan, p.withRetention(t, w), mergeMaps(digests, env))
		t.sets = append(t.sets, set)
		if h := blocked(w, digests); h.Reason != "" {
			d = h
		}
		if d.Reason != "" {
			t.blocked[w.Name] = d
		}
	}
	if err := p.checkStorageClasses(ctx, t); err != nil {
		t.addSharedError(err)
	}
	p.applySets(ctx, t)
	t.addSharedError(p.prune(ctx, plan, current, t.sets))
	p.explainMissingPods(ctx, t)
	return t.result(), nil
}

// addSharedError adds an error of an object that belongs to no workload.
func (t *pass) addSharedError(err error) {
	if err == nil {
		return
	}
	t.failed = append(t.failed, err)
	if t.sharedFault.Reason == "" {
		t.sharedFault = diagnoseAPIError(err)
	}
}

// withRetention sets the reclaim policy to Retain where the volume has to be kept, whatever the plan says.
func (p *Phase) withRetention(t *pass, w ledger.Workload) ledger.Workload {
	if w.Node == nil || w.Node.Storage.ReclaimPolicy != v1alpha1.ReclaimDelete {
		return w
	}
	if keepsVolume(p.KeepVolumes, w.Node.Storage.ReclaimPolicy, t.observed.sets[w.Name], t.observed.claims[w.Name]) {
		node := *w.Node
		node.Storage.ReclaimPolicy = v1alpha1.ReclaimRetain
		w.Node = &node
		if !p.KeepVolumes {
			t.notes[w.Name] = "its volume is kept although the plan says reclaimPolicy: Delete: it was created with Retain, and a change of the plan alone does not change that"
		}
	}
	return w
}

// blocked says why a workload is not applied.
func blocked(w ledger.Workload, digests map[string]string) Diagnosis {
	if w.Refused != "" {
		return Diagnosis{v1alpha1.ReasonImageNotAllowed, w.Refused}
	}
	if missing := missingDigests(w.Secrets, digests); len(missing) > 0 {
		return Diagnosis{v1alpha1.ReasonWaiting, "waiting for its certificates: " + strings.Join(missing, ", ")}
	}
	var names []string
	for _, channel := range w.FirstBlocks {
		if digests[ledger.FirstBlockName(channel)] == "" {
			names = append(names, channel)
		}
	}
	if len(names) > 0 {
		return Diagnosis{v1alpha1.ReasonWaiting, "waiting for the first block of channel " + strings.Join(names, ", ")}
	}
	return Diagnosis{}
}

// checkStorageClasses blocks new nodes whose volumes cannot be provisioned.
func (p *Phase) checkStorageClasses(ctx context.Context, t *pass) error {
	var classes *storagev1.StorageClassList
	for _, set := range t.sets {
		if set.StatefulSet == nil || t.observed.sets[set.Name] != nil || t.blocked[set.Name].Reason != "" {
			continue
		}
		if classes == nil {
			classes = &storagev1.StorageClassList{}
			if err := p.Direct.List(ctx, classes); err != nil {
				return fmt.Errorf("list the cluster's StorageClasses: %w", err)
			}
		}
		if d := diagnoseStorage(set.Workload.Node.Storage, classes.Items); d.Reason != "" {
			t.blocked[set.Name] = d
		}
	}
	return nil
}

// applySets applies what is not blocked, of the nodes that change one at a time. A node whose change the cluster
// rejects stays as it is, like a blocked one, and the next one is tried.
func (p *Phase) applySets(ctx context.Context, t *pass) {
	var states []Node
	for _, set := range t.sets {
		if set.StatefulSet != nil {
			states = append(states, stateOf(set, t.observed.sets[set.Name], t.blocked[set.Name].Reason != ""))
		}
	}
	tried := map[string]bool{}
	for retry := true; retry; {
		retry = false
		now, _ := Next(states)
		for _, set := range t.sets {
			if tried[set.Name] || (set.StatefulSet != nil && !slices.Contains(now, set.Name)) {
				continue
			}
			tried[set.Name] = true
			if err := p.applySet(ctx, t, set); err != nil {
				t.addError(set.Name, err)
				retry = retry || skipChange(states, set.Name)
			}
		}
	}
	for _, set := range t.sets {
		if !tried[set.Name] && t.blocked[set.Name].Reason == "" {
			t.blocked[set.Name] = Diagnosis{v1alpha1.ReasonProgressing, "its change waits until the other nodes are ready"}
		}
	}
}

// skipChange skips a node's change in this reconciliation, and says whether it had one.
func skipChange(states []Node, name string) bool {
	for i := range states {
		if states[i].Name == name && states[i].changed() {
			states[i].Wanted = states[i].Running
			return true
		}
	}
	return false
}

func (p *Phase) applySet(ctx context.Context, t *pass, set Set) error {
	if set.Workload.Refused != "" {
		return nil
	}
	if err := p.applyEach(ctx, set.Supporting); err != nil {
		return err
	}
	if t.blocked[set.Name].Reason != "" {
		return nil
	}
	if set.Deployment != nil {
		return p.Applier.Apply(ctx, set.Deployment)
	}
	current := t.observed.sets[set.Name]
	// A volume that cannot be expanded blocks nothing else of the node.
	volume := p.ensureVolume(ctx, t, set)
	if err := p.Applier.Apply(ctx, withCurrentClaims(set.StatefulSet, current)); err != nil {
		return err
	}
	if current != nil && current.Annotations[annotationRevision] != set.Revision {
		if why := restartReasons(&current.Spec.Template, &set.StatefulSet.Spec.Template); len(why) > 0 {
			t.restarts = append(t.restarts, Restart{set.Name, strings.Join(why, ", ")})
		}
	}
	if volume.Reason != "" {
		t.blocked[set.Name] = volume
	}
	return nil
}

// prune deletes the workloads of contracts that the plan no longer has and that serve no committed definition. They hold
// no data. Nodes are never pruned.
func (p *Phase) prune(ctx context.Context, plan *v1alpha1.MemberPlan, current *observed, sets []Set) error {
	var failed []error
	for name, d := range current.deployments {
		if d.Labels[v1alpha1.LabelContract] == "" || slices.ContainsFunc(sets, func(s Set) bool { return s.Name == name }) || isServing(plan, d) {
			continue
		}
		meta := metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: name}
		for _, obj := range []client.Object{
			&appsv1.Deployment{ObjectMeta: meta}, &corev1.Service{ObjectMeta: meta}, &corev1.ConfigMap{ObjectMeta: meta},
			&policyv1.PodDisruptionBudget{ObjectMeta: meta},
		} {
			if err := p.Direct.Delete(ctx, obj, client.PropagationPolicy(metav1.DeletePropagationBackground)); client.IgnoreNotFound(err) != nil {
				failed = append(failed, fmt.Errorf("delete the contract %s, which the plan no longer has: %w", name, err))
			}
		}
	}
	return errors.Join(failed...)
}

// applyEach applies all of the objects and joins the errors.
func (p *Phase) applyEach(ctx context.Context, objects []client.Object) error {
	var failed []error
	for _, obj := range objects {
		if err := p.Applier.Apply(ctx, obj); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// result is the state of every workload.
func (t *pass) result() Result {
	r := Result{Restarts: t.restarts, Failed: errors.Join(t.failed...)}
	for _, set := range t.sets {
		if set.Deployment != nil {
			r.Contracts = append(r.Contracts, t.contractStatus(set))
			continue
		}
		status, d := t.nodeStatus(set)
		r.Nodes = append(r.Nodes, status)
		if (!status.Ready || d.Reason != "") && (r.Reason == "" || r.Reason == v1alpha1.ReasonProgressing) {
			r.Reason, r.Message = d.Reason, set.Name+": "+d.Message
		}
	}
	if r.Reason == "" {
		r.Reason, r.Message = t.sharedFault.Reason, t.sharedFault.Message
	}
	slices.SortFunc(r.Nodes, func(a, b v1alpha1.PlanNodeStatus) int { return strings.Compare(a.Name, b.Name) })
	return r
}

func (t *pass) nodeStatus(set Set) (v1alpha1.PlanNodeStatus, Diagnosis) {
	status := v1alpha1.PlanNodeStatus{Name: set.Name, Role: set.Workload.Node.Role}
	current := t.observed.sets[set.Name]
	status.Ready = current != nil && isStable(current)
	status.Image, status.StateDatabaseImage = runningImages(set, current)
	if current != nil {
		status.Settings = current.Annotations[annotationSettings]
	}
	status.VolumeSize = requestedSize(t.observed.claims[set.Name])
	d := t.blocked[set.Name]
	if !status.Ready && d.Reason == "" {
		d = Diagnose(t.observed.pods[set.Name], t.observed.claims[set.Name])
	}
	if d.Reason == "" && set.Workload.NotAllowed != "" {
		d = Diagnosis{v1alpha1.ReasonNameNotAllowed, set.Workload.NotAllowed}
	}
	status.Message = cmp.Or(d.Message, t.notes[set.Name])
	if IsFault(d.Reason) {
		status.Reason = d.Reason
	}
	return status, d
}

// runningImages are the images of a node's StatefulSet. For another revision than the desired one only the first
// container's is known.
func runningImages(set Set, current *appsv1.StatefulSet) (image, stateDatabase string) {
	switch {
	case current == nil:
		return "", ""
	case current.Annotations[annotationRevision] == set.Revision:
		return set.Workload.Node.Image, set.Workload.Node.StateDatabaseImage
	}
	return declaredImage(current), ""
}

func (t *pass) contractStatus(set Set) Contract {
	c := Contract{Name: set.Workload.Contract.Name, Channel: set.Workload.Contract.Channel}
	current := t.observed.deployments[set.Name]
	c.Running, c.Refused = isAvailable(current), set.Workload.Refused != ""
	d := t.blocked[set.Name]
	if d.Reason != "" && !c.Refused {
		// The running revision is not the plan's.
		c.Running = false
	}
	if !c.Running && d.Reason == "" {
		d = diagnoseDeployment(current, t.observed.pods[set.Name])
	}
	if !c.Running || c.Refused {
		c.Reason, c.Message = d.Reason, d.Message
	}
	return c
}

func missingDigests(names []string, digests map[string]string) []string {
	var missing []string
	for _, name := range names {
		if digests[name] == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

// observed are the objects in a consortium's namespace, by workload.
type observed struct {
	sets        map[string]*appsv1.StatefulSet
	deployments map[string]*appsv1.Deployment
	pods        map[string][]corev1.Pod
	claims      map[string][]corev1.PersistentVolumeClaim
}

func observe(ctx context.Context, reader client.Reader, namespace string) (*observed, error) {
	var (
		sets        appsv1.StatefulSetList
		deployments appsv1.DeploymentList
		pods        corev1.PodList
		claims      corev1.PersistentVolumeClaimList
	)
	for _, list := range []client.ObjectList{&sets, &deployments, &pods, &claims} {
		err := reader.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("list the workloads in %s: %w", namespace, err)
		}
	}
	s := &observed{
		sets: map[string]*appsv1.StatefulSet{}, deployments: map[string]*appsv1.Deployment{},
		pods: map[string][]corev1.Pod{}, claims: map[string][]corev1.PersistentVolumeClaim{},
	}
	for i := range sets.Items {
		s.sets[sets.Items[i].Name] = &sets.Items[i]
	}
	for i := range deployments.Items {
		s.deployments[deployments.Items[i].Name] = &deployments.Items[i]
	}
	for _, pod := range pods.Items {
		s.pods[owner(pod.Labels)] = append(s.pods[owner(pod.Labels)], pod)
	}
	for _, claim := range claims.Items {
		s.claims[owner(claim.Labels)] = append(s.claims[owner(claim.Labels)], claim)
	}
	return s, nil
}

// owner is the workload that an object's labels name.
func owner(labels map[string]string) string {
	if node := labels[v1alpha1.LabelNode]; node != "" {
		return node
	}
	return labels["app.kubernetes.io/instance"]
}
