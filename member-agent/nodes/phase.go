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
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// Applier writes desired objects.
type Applier interface {
	Apply(ctx context.Context, obj client.Object) error
}

// Phase runs the workloads of plans.
type Phase struct {
	Agent Agent
	// Gateway is the DNS name of the gateway's Service, to which the other members' nodes lead.
	Gateway string
	Applier Applier
	// Direct reads and deletes without a cache, in the consortium's namespaces and among the StorageClasses.
	Direct client.Client
	// KeepVolumes is the organization's word that no volume goes with its node, whatever the plan says.
	KeepVolumes bool
	// Network is what the organization says about its network policies.
	Network Network
	Now     func() time.Time

	// opened are the namespaces whose policies have been taken away because the organization wants none.
	opened sync.Map
}

// Result is how the workloads of a plan do.
type Result struct {
	Nodes []v1alpha1.PlanNodeStatus
	// Contracts tells how each contract's workload does.
	Contracts []Contract
	// Reason and Message of the first node that is not ready; empty when all are.
	Reason, Message string
	// Failed is what the cluster has rejected or could not do, each for the workload that it is about: the turn goes on,
	// and is to be taken again after a pause.
	Failed error
}

// Contract is how one contract's workload does.
type Contract struct {
	Name, Channel string
	// Running is whether the workload is ready as the plan has it.
	Running bool
	// Refused is whether the organization does not let it run as the plan has it. An earlier one may be running.
	Refused bool
	// Reason and Message say what it waits for.
	Reason, Message string
}

// turn is one look at a plan: what is wanted, what there is, and what keeps the one from becoming the other.
type turn struct {
	plan *v1alpha1.MemberPlan
	seen *sight
	sets []Set
	// held says by workload why it is not applied, and noted what there is to say of one that is.
	held  map[string]Diagnosis
	noted map[string]string
	// shared is the first failure of what belongs to no one workload; failed holds every failure.
	shared Diagnosis
	failed []error
}

// fail notes an error as the workload's own.
func (t *turn) fail(name string, err error) {
	t.failed = append(t.failed, err)
	if t.held[name].Reason == "" {
		t.held[name] = rejection(err)
	}
}

// Ensure makes the consortium's namespace hold what the plan asks for. reader reads that namespace; digests are those
// of the certificates that have been issued. A workload whose certificates are not all there waits for them; one that
// the cluster rejects says so, and keeps no other from being looked after.
func (p *Phase) Ensure(ctx context.Context, reader client.Reader, plan *v1alpha1.MemberPlan, workloads []ledger.Workload, digests map[string]string) (Result, error) {
	seen, err := look(ctx, reader, plan.Spec.Namespace)
	if err != nil {
		return Result{}, err
	}
	t := &turn{plan: plan, seen: seen, held: map[string]Diagnosis{}, noted: map[string]string{}}
	t.share(p.retainAll(ctx, plan, seen))
	t.share(p.applyEach(ctx, slices.Concat(Budgets(plan), Remote(plan, p.Gateway))))
	t.share(p.policies(ctx, plan))
	for _, w := range workloads {
		env, d := environment(ctx, reader, plan.Spec.Namespace, w)
		set := Desired(plan, p.kept(t, w), joined(digests, env))
		t.sets = append(t.sets, set)
		if h := hold(w, digests); h.Reason != "" {
			d = h
		}
		if d.Reason != "" {
			t.held[w.Name] = d
		}
	}
	if err := p.holdForStorage(ctx, t); err != nil {
		t.share(err)
	}
	p.applySets(ctx, t)
	t.share(p.prune(ctx, plan, seen, t.sets))
	p.explain(ctx, t)
	return t.summarize(), nil
}

// share notes what failed of that which belongs to no one workload.
func (t *turn) share(err error) {
	if err == nil {
		return
	}
	t.failed = append(t.failed, err)
	if t.shared.Reason == "" {
		t.shared = rejection(err)
	}
}

// kept is a workload whose volume stays where it has to, whatever the plan says.
func (p *Phase) kept(t *turn, w ledger.Workload) ledger.Workload {
	if w.Node == nil || w.Node.Storage.ReclaimPolicy != v1alpha1.ReclaimDelete {
		return w
	}
	if keepsVolume(p.KeepVolumes, w.Node.Storage.ReclaimPolicy, t.seen.sets[w.Name], t.seen.claims[w.Name]) {
		node := *w.Node
		node.Storage.ReclaimPolicy = v1alpha1.ReclaimRetain
		w.Node = &node
		if !p.KeepVolumes {
			t.noted[w.Name] = "its volume is kept, though the plan says reclaimPolicy: Delete: it was made to be kept, and a change of the plan alone does not undo that"
		}
	}
	return w
}

// hold says why a workload is not applied as it is.
func hold(w ledger.Workload, digests map[string]string) Diagnosis {
	if w.Refused != "" {
		return Diagnosis{v1alpha1.ReasonImageNotAllowed, w.Refused}
	}
	if missing := without(w.Secrets, digests); len(missing) > 0 {
		return Diagnosis{v1alpha1.ReasonWaiting, "waiting for its certificates: " + strings.Join(missing, ", ")}
	}
	return Diagnosis{}
}

// holdForStorage keeps nodes from being created whose volumes nobody could provide.
func (p *Phase) holdForStorage(ctx context.Context, t *turn) error {
	var classes *storagev1.StorageClassList
	for _, set := range t.sets {
		if set.StatefulSet == nil || t.seen.sets[set.Name] != nil || t.held[set.Name].Reason != "" {
			continue
		}
		if classes == nil {
			classes = &storagev1.StorageClassList{}
			if err := p.Direct.List(ctx, classes); err != nil {
				return fmt.Errorf("list the cluster's StorageClasses: %w", err)
			}
		}
		if d := diagnoseStorage(set.Workload.Node.Storage, classes.Items); d.Reason != "" {
			t.held[set.Name] = d
		}
	}
	return nil
}

// applySets applies what is not held back, of the nodes that change one at a time. A node whose change the cluster
// rejects stays as it is, like one that is held back, and the next one has its turn.
func (p *Phase) applySets(ctx context.Context, t *turn) {
	var states []Node
	for _, set := range t.sets {
		if set.StatefulSet != nil {
			states = append(states, stateOf(set, t.seen.sets[set.Name], t.held[set.Name].Reason != ""))
		}
	}
	tried := map[string]bool{}
	for again := true; again; {
		again = false
		now, _ := Next(states)
		for _, set := range t.sets {
			if tried[set.Name] || (set.StatefulSet != nil && !slices.Contains(now, set.Name)) {
				continue
			}
			tried[set.Name] = true
			if err := p.applySet(ctx, t, set); err != nil {
				t.fail(set.Name, err)
				again = again || leaveAsItIs(states, set.Name)
			}
		}
	}
	for _, set := range t.sets {
		if !tried[set.Name] && t.held[set.Name].Reason == "" {
			t.held[set.Name] = Diagnosis{v1alpha1.ReasonProgressing, "its change waits until the other nodes are ready"}
		}
	}
}

// leaveAsItIs gives up a node's change for this turn, and says whether it had one.
func leaveAsItIs(states []Node, name string) bool {
	for i := range states {
		if states[i].Name == name && states[i].changed() {
			states[i].Wanted = states[i].Running
			return true
		}
	}
	return false
}

func (p *Phase) applySet(ctx context.Context, t *turn, set Set) error {
	if set.Workload.Refused != "" {
		return nil
	}
	if err := p.applyEach(ctx, set.Around); err != nil {
		return err
	}
	if t.held[set.Name].Reason != "" {
		return nil
	}
	if set.Deployment != nil {
		return p.Applier.Apply(ctx, set.Deployment)
	}
	// A volume that cannot grow keeps nothing else of the node from being applied.
	grown := p.growClaim(ctx, set, t.seen)
	if err := p.Applier.Apply(ctx, keepingClaims(set.StatefulSet, t.seen.sets[set.Name])); err != nil {
		return err
	}
	if grown != nil {
		t.held[set.Name] = Diagnosis{v1alpha1.ReasonFailed, grown.Error()}
	}
	return nil
}

// keepingClaims leaves the claim templates as they are, for Kubernetes lets nobody change them.
func keepingClaims(desired, current *appsv1.StatefulSet) *appsv1.StatefulSet {
	if current == nil {
		return desired
	}
	kept := desired.DeepCopy()
	kept.Spec.VolumeClaimTemplates = nil
	for _, claim := range current.Spec.VolumeClaimTemplates {
		kept.Spec.VolumeClaimTemplates = append(kept.Spec.VolumeClaimTemplates, corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: claim.Name, Labels: claim.Labels},
			Spec:       claim.Spec,
		})
	}
	return kept
}

// growClaim asks for a larger volume when the plan does. A smaller one is not possible and leaves things as they are.
func (p *Phase) growClaim(ctx context.Context, set Set, seen *sight) error {
	want := set.StatefulSet.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests[corev1.ResourceStorage]
	for _, claim := range seen.claims[set.Name] {
		have := claim.Spec.Resources.Requests[corev1.ResourceStorage]
		if want.Cmp(have) <= 0 {
			continue
		}
		next := claim.DeepCopy()
		next.Spec.Resources.Requests[corev1.ResourceStorage] = want
		if err := p.Direct.Patch(ctx, next, client.MergeFrom(&claim)); err != nil {
			return fmt.Errorf("its volume cannot grow from %s to %s: %w: see that its StorageClass has allowVolumeExpansion", &have, &want, err)
		}
	}
	return nil
}

// prune takes down the workloads of contracts that the plan no longer has, and that serve nothing. They hold no data. Nodes are
// never pruned.
func (p *Phase) prune(ctx context.Context, plan *v1alpha1.MemberPlan, seen *sight, sets []Set) error {
	var failed []error
	for name, d := range seen.deployments {
		if d.Labels[v1alpha1.LabelContract] == "" || slices.ContainsFunc(sets, func(s Set) bool { return s.Name == name }) || serves(plan, d) {
			continue
		}
		meta := metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: name}
		for _, obj := range []client.Object{
			&appsv1.Deployment{ObjectMeta: meta}, &corev1.Service{ObjectMeta: meta}, &corev1.ConfigMap{ObjectMeta: meta},
			&policyv1.PodDisruptionBudget{ObjectMeta: meta},
		} {
			if err := p.Direct.Delete(ctx, obj, client.PropagationPolicy(metav1.DeletePropagationBackground)); client.IgnoreNotFound(err) != nil {
				failed = append(failed, fmt.Errorf("take down the contract %s, which the plan no longer has: %w", name, err))
			}
		}
	}
	return errors.Join(failed...)
}

// applyEach applies all of the objects, and fails for those that it could not.
func (p *Phase) applyEach(ctx context.Context, objects []client.Object) error {
	var failed []error
	for _, obj := range objects {
		if err := p.Applier.Apply(ctx, obj); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// summarize tells how every workload does.
func (t *turn) summarize() Result {
	r := Result{Failed: errors.Join(t.failed...)}
	for _, set := range t.sets {
		if set.Deployment != nil {
			r.Contracts = append(r.Contracts, t.contract(set))
			continue
		}
		status, d := t.node(set)
		r.Nodes = append(r.Nodes, status)
		if (!status.Ready || d.Reason != "") && (r.Reason == "" || r.Reason == v1alpha1.ReasonProgressing) {
			r.Reason, r.Message = d.Reason, set.Name+": "+d.Message
		}
	}
	if r.Reason == "" {
		r.Reason, r.Message = t.shared.Reason, t.shared.Message
	}
	slices.SortFunc(r.Nodes, func(a, b v1alpha1.PlanNodeStatus) int { return strings.Compare(a.Name, b.Name) })
	return r
}

func (t *turn) node(set Set) (v1alpha1.PlanNodeStatus, Diagnosis) {
	status := v1alpha1.PlanNodeStatus{Name: set.Name, Role: set.Workload.Node.Role}
	current := t.seen.sets[set.Name]
	status.Ready = current != nil && settled(current)
	status.Image, status.StateDatabaseImage = runs(set, current)
	d := t.held[set.Name]
	if !status.Ready && d.Reason == "" {
		d = Diagnose(t.seen.pods[set.Name], t.seen.claims[set.Name])
	}
	if d.Reason == "" && set.Workload.NotAllowed != "" {
		d = Diagnosis{v1alpha1.ReasonNameNotAllowed, set.Workload.NotAllowed}
	}
	status.Message = cmp.Or(d.Message, t.noted[set.Name])
	if IsFault(d.Reason) {
		status.Reason = d.Reason
	}
	return status, d
}

// runs are the images that a node's StatefulSet was last given. Those of a revision that is not the wanted one are told
// only as far as the first container goes.
func runs(set Set, current *appsv1.StatefulSet) (image, stateDatabase string) {
	switch {
	case current == nil:
		return "", ""
	case current.Annotations[annotationRevision] == set.Revision:
		return set.Workload.Node.Image, set.Workload.Node.StateDatabaseImage
	}
	return current.Spec.Template.Spec.Containers[0].Image, ""
}

func (t *turn) contract(set Set) Contract {
	c := Contract{Name: set.Workload.Contract.Name, Channel: set.Workload.Contract.Channel}
	current := t.seen.deployments[set.Name]
	c.Running, c.Refused = available(current), set.Workload.Refused != ""
	d := t.held[set.Name]
	if d.Reason != "" && !c.Refused {
		// What runs is another one than the plan has, or soon will be.
		c.Running = false
	}
	if !c.Running && d.Reason == "" {
		d = diagnoseDeployment(current, t.seen.pods[set.Name])
	}
	if !c.Running || c.Refused {
		c.Reason, c.Message = d.Reason, d.Message
	}
	return c
}

func without(names []string, digests map[string]string) []string {
	var missing []string
	for _, name := range names {
		if digests[name] == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

// sight is what there is in a consortium's namespace, by workload.
type sight struct {
	sets        map[string]*appsv1.StatefulSet
	deployments map[string]*appsv1.Deployment
	pods        map[string][]corev1.Pod
	claims      map[string][]corev1.PersistentVolumeClaim
}

func look(ctx context.Context, reader client.Reader, namespace string) (*sight, error) {
	var (
		sets        appsv1.StatefulSetList
		deployments appsv1.DeploymentList
		pods        corev1.PodList
		claims      corev1.PersistentVolumeClaimList
	)
	for _, list := range []client.ObjectList{&sets, &deployments, &pods, &claims} {
		err := reader.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("look at what runs in %s: %w", namespace, err)
		}
	}
	s := &sight{
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
