package nodes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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
}

// Result is how the workloads of a plan do.
type Result struct {
	Nodes []v1alpha1.PlanNodeStatus
	// Running tells of each contract's workload, by the workload's name, whether it is ready.
	Contracts []Contract
	// Reason and Message of the first node that is not ready; empty when all are.
	Reason, Message string
}

// Contract is how one contract's workload does.
type Contract struct {
	Name, Channel string
	Running       bool
	// Refused is whether the organization does not let it run as the plan has it. An earlier one may be running.
	Refused bool
	// Message says what it waits for.
	Message string
}

// Ensure makes the consortium's namespace hold what the plan asks for. reader reads that namespace; digests are those
// of the certificates that have been issued. A workload whose certificates are not all there waits for them.
func (p *Phase) Ensure(ctx context.Context, reader client.Reader, plan *v1alpha1.MemberPlan, workloads []ledger.Workload, digests map[string]string) (Result, error) {
	seen, err := look(ctx, reader, plan.Spec.Namespace)
	if err != nil {
		return Result{}, err
	}
	if err := p.applyAll(ctx, slices.Concat(Policies(plan, p.Agent), Budgets(plan), Remote(plan, p.Gateway))); err != nil {
		return Result{}, err
	}
	var sets []Set
	held := map[string]Diagnosis{}
	for _, w := range workloads {
		set := Desired(plan, p.kept(w), digests)
		sets = append(sets, set)
		if d := hold(w, digests); d.Reason != "" {
			held[w.Name] = d
		}
	}
	if err := p.holdForStorage(ctx, sets, seen, held); err != nil {
		return Result{}, err
	}
	if err := p.applySets(ctx, sets, seen, held); err != nil {
		return Result{}, err
	}
	if err := p.prune(ctx, plan.Spec.Namespace, seen, sets); err != nil {
		return Result{}, err
	}
	return summarize(sets, seen, held), nil
}

// kept is a workload whose volume stays if the organization says so.
func (p *Phase) kept(w ledger.Workload) ledger.Workload {
	if p.KeepVolumes && w.Node != nil {
		node := *w.Node
		node.Storage.ReclaimPolicy = v1alpha1.ReclaimRetain
		w.Node = &node
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
func (p *Phase) holdForStorage(ctx context.Context, sets []Set, seen *sight, held map[string]Diagnosis) error {
	var classes *storagev1.StorageClassList
	for _, set := range sets {
		if set.StatefulSet == nil || seen.sets[set.Name] != nil || held[set.Name].Reason != "" {
			continue
		}
		if classes == nil {
			classes = &storagev1.StorageClassList{}
			if err := p.Direct.List(ctx, classes); err != nil {
				return fmt.Errorf("list the cluster's StorageClasses: %w", err)
			}
		}
		if d := diagnoseStorage(set.Workload.Node.Storage, classes.Items); d.Reason != "" {
			held[set.Name] = d
		}
	}
	return nil
}

func (p *Phase) applySets(ctx context.Context, sets []Set, seen *sight, held map[string]Diagnosis) error {
	var states []Node
	for _, set := range sets {
		if set.StatefulSet != nil {
			states = append(states, stateOf(set, seen.sets[set.Name]))
		}
	}
	now, _ := Next(states)
	for _, set := range sets {
		if set.Workload.Refused != "" {
			continue
		}
		if err := p.applyAll(ctx, set.Around); err != nil {
			return err
		}
		if held[set.Name].Reason != "" {
			continue
		}
		if set.Deployment != nil {
			if err := p.Applier.Apply(ctx, set.Deployment); err != nil {
				return err
			}
			continue
		}
		if err := p.growClaim(ctx, set, seen); err != nil {
			held[set.Name] = Diagnosis{v1alpha1.ReasonFailed, err.Error()}
		}
		if !slices.Contains(now, set.Name) {
			held[set.Name] = Diagnosis{v1alpha1.ReasonProgressing, "its change waits until the other nodes are ready"}
			continue
		}
		if err := p.Applier.Apply(ctx, keepingClaims(set.StatefulSet, seen.sets[set.Name])); err != nil {
			return err
		}
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

// prune takes down the workloads of contracts that the plan no longer has. They hold no data. Nodes are never pruned.
func (p *Phase) prune(ctx context.Context, namespace string, seen *sight, sets []Set) error {
	for name, d := range seen.deployments {
		if d.Labels[v1alpha1.LabelContract] == "" || slices.ContainsFunc(sets, func(s Set) bool { return s.Name == name }) {
			continue
		}
		meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
		for _, obj := range []client.Object{
			&appsv1.Deployment{ObjectMeta: meta}, &corev1.Service{ObjectMeta: meta}, &corev1.ConfigMap{ObjectMeta: meta},
		} {
			if err := p.Direct.Delete(ctx, obj, client.PropagationPolicy(metav1.DeletePropagationBackground)); client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("take down the contract %s, which the plan no longer has: %w", name, err)
			}
		}
	}
	return nil
}

func (p *Phase) applyAll(ctx context.Context, objects []client.Object) error {
	for _, obj := range objects {
		if err := p.Applier.Apply(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

// summarize tells how every workload does.
func summarize(sets []Set, seen *sight, held map[string]Diagnosis) Result {
	var r Result
	for _, set := range sets {
		if set.Deployment != nil {
			c := Contract{Name: set.Workload.Contract.Name, Channel: set.Workload.Contract.Channel}
			c.Running = available(seen.deployments[set.Name])
			c.Refused, c.Message = set.Workload.Refused != "", set.Workload.Refused
			if !c.Running && c.Message == "" {
				c.Message = Diagnose(seen.pods[set.Name], nil).Message
			}
			r.Contracts = append(r.Contracts, c)
			continue
		}
		status := v1alpha1.PlanNodeStatus{Name: set.Name, Role: set.Workload.Node.Role}
		current := seen.sets[set.Name]
		status.Ready = current != nil && settled(current)
		d := held[set.Name]
		if !status.Ready && d.Reason == "" {
			d = Diagnose(seen.pods[set.Name], seen.claims[set.Name])
		}
		status.Message = d.Message
		r.Nodes = append(r.Nodes, status)
		if (!status.Ready || d.Reason != "") && (r.Reason == "" || r.Reason == v1alpha1.ReasonProgressing) {
			r.Reason, r.Message = d.Reason, set.Name+": "+d.Message
		}
	}
	slices.SortFunc(r.Nodes, func(a, b v1alpha1.PlanNodeStatus) int { return strings.Compare(a.Name, b.Name) })
	return r
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
