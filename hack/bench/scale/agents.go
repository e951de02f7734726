package scale

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// reaction is how long an agent takes to answer a plan: what a real one needs, with a mirror in its own cluster, and long
// enough for several changes of a plan to be answered once.
const reaction = 100 * time.Millisecond

// agents answer plans as their Members' agents would. Until all plans of a Consortium are there they wait, as real ones do for
// each other's records, so that growing the host is not many times the work.
type agents struct {
	client client.Client
	queue  workqueue.TypedRateLimitingInterface[client.ObjectKey]

	mu sync.Mutex
	// plans as they were seen last, by Consortium and by key.
	plans map[string]map[client.ObjectKey]*v1alpha1.MemberPlan
	// definitions that plans refer to, as they were read last, by Consortium.
	definitions map[string]v1alpha1.ConsortiumDefinitionSpec
}

func newAgents(c client.Client) *agents {
	return &agents{
		client: c, plans: map[string]map[client.ObjectKey]*v1alpha1.MemberPlan{}, definitions: map[string]v1alpha1.ConsortiumDefinitionSpec{},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[client.ObjectKey]()),
	}
}

// see takes note of a plan as it is now.
func (a *agents) see(plan *v1alpha1.MemberPlan) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, key := a.plans[plan.Name], client.ObjectKeyFromObject(plan)
	if all == nil {
		all = map[client.ObjectKey]*v1alpha1.MemberPlan{}
		a.plans[plan.Name] = all
	}
	_, known := all[key]
	all[key] = plan
	switch {
	case len(all) < groupMembers:
	case known:
		a.queue.AddAfter(key, reaction)
	default: // the last one
		for key := range all {
			a.queue.AddAfter(key, reaction)
		}
	}
}

// run answers until ctx ends.
func (a *agents) run(ctx context.Context) {
	for range parallel {
		go func() {
			for {
				key, ended := a.queue.Get()
				if ended {
					return
				}
				if err := a.answer(ctx, key); err != nil && ctx.Err() == nil {
					a.queue.AddRateLimited(key)
				} else {
					a.queue.Forget(key)
				}
				a.queue.Done(key)
			}
		}()
	}
	<-ctx.Done()
	a.queue.ShutDown()
}

func (a *agents) answer(ctx context.Context, key client.ObjectKey) error {
	a.mu.Lock()
	plan := a.plans[key.Name][key].DeepCopy()
	a.mu.Unlock()
	whole, err := a.join(ctx, plan)
	if err != nil {
		return err
	}
	status := answer(whole)
	if equality.Semantic.DeepEqual(plan.Status, status) {
		return nil
	}
	plan.Status = status
	plan.ManagedFields = []metav1.ManagedFieldsEntry{{}} // as agents do
	err = a.client.Status().Update(ctx, plan, client.FieldOwner("agent"))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // the plan comes again as it is now
	}
	return err
}

// join is the whole plan: with its definition, if it refers to one.
func (a *agents) join(ctx context.Context, plan *v1alpha1.MemberPlan) (*v1alpha1.MemberPlan, error) {
	ref := plan.Spec.Definition
	if ref == nil {
		return plan, nil
	}
	a.mu.Lock()
	spec := a.definitions[plan.Name]
	a.mu.Unlock()
	if spec.Digest != ref.Digest {
		object := &v1alpha1.ConsortiumDefinition{}
		key := client.ObjectKey{Namespace: v1alpha1.StatementsNamespace(plan.Name), Name: plan.Name}
		if err := a.client.Get(ctx, key, object); err != nil {
			return nil, err
		}
		if spec = object.Spec; spec.Digest != ref.Digest {
			return nil, fmt.Errorf("the definition of %s is another one than its plan refers to", plan.Name)
		}
		a.mu.Lock()
		a.definitions[plan.Name] = spec
		a.mu.Unlock()
	}
	definition, err := spec.Decode()
	if err != nil {
		return nil, err
	}
	whole := *plan
	whole.Spec, err = definition.Join(&plan.Spec)
	return &whole, err
}

// answer is what an agent reports of a plan that it has carried out.
func answer(plan *v1alpha1.MemberPlan) v1alpha1.MemberPlanStatus {
	member := plan.Spec.Member
	status := v1alpha1.MemberPlanStatus{
		ObservedGeneration: plan.Generation, Phase: v1alpha1.ConditionReady,
		Record: digest("record of " + member + plan.Name), Holdings: digest("holdings of " + member + plan.Name),
	}
	nodes := map[v1alpha1.NodeRole][]string{}
	for _, n := range plan.Spec.Nodes {
		nodes[n.Role] = append(nodes[n.Role], n.Name)
		status.Nodes = append(status.Nodes, v1alpha1.PlanNodeStatus{
			Name: n.Name, Role: n.Role, Ready: true, Image: n.Image, StateDatabaseImage: n.StateDatabaseImage,
		})
	}
	for _, c := range plan.Spec.Channels {
		status.Channels = append(status.Channels, v1alpha1.PlanChannelStatus{
			Name: c.Name, Genesis: digest("block 0 of " + c.Name), GenesisHash: digest("header 0 of " + c.Name), Height: 3,
			Steps: []v1alpha1.PlanStep{
				{Name: planner.StepJoinOrderers, Nodes: nodes[v1alpha1.RoleOrderer], Done: true},
				{Name: planner.StepJoinPeers, Nodes: nodes[v1alpha1.RolePeer], Done: true},
				{Name: planner.StepSetAnchors, Done: true},
			},
		})
	}
	for _, c := range plan.Spec.Contracts {
		status.Contracts = append(status.Contracts, v1alpha1.PlanContractStatus{
			Name: c.Name, Channel: c.Channel, PackageID: c.Name + ":" + digest(c.Name), Running: true, Definition: c.DefinitionHash(),
			Approved: c.Sequence, Committed: c.Sequence, Workload: c.Name, Serving: true,
		})
	}
	for _, l := range plan.Spec.Lines {
		status.Lines = append(status.Lines, v1alpha1.PlanLineStatus{Member: l.Member, Line: l.Name, State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp})
	}
	for _, kind := range []string{
		v1alpha1.PlanTrusted, v1alpha1.PlanIdentitiesReady, v1alpha1.PlanNodesReady, v1alpha1.PlanDiscovered, v1alpha1.PlanLinesReady,
		v1alpha1.PlanChannelsReady, v1alpha1.PlanContractsReady, v1alpha1.ConditionReady,
	} {
		status.Conditions = append(status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "the simulated agent has done all of it",
			LastTransitionTime: metav1.NewTime(plan.CreationTimestamp.Time), ObservedGeneration: plan.Generation,
		})
	}
	return status
}
