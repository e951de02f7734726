package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"k8s.io/client-go/util/workqueue"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

const (
	// ledgerTimeout is the time limit of one run of the ledger phases.
	ledgerTimeout = 3 * time.Minute
	// retryMin and retryMax bound the interval between two runs while not everything is done; idleInterval is the interval
	// when everything is.
	retryMin     = 250 * time.Millisecond
	retryMax     = 15 * time.Second
	idleInterval = time.Minute
	// ledgerWorkers is how many plans' ledgers are worked on at once. A run mostly waits for nodes, and one whose nodes do not
	// answer keeps its worker for ledgerTimeout.
	ledgerWorkers = 64
)

// ledgerInput is what the controller of the plans hands to that of the ledgers.
type ledgerInput struct {
	// plan with the status that was reported last.
	plan *v1alpha1.MemberPlan
	// records of every member that is known, checked.
	records map[string]v1alpha1.Record
	keys    ledger.Keys
	// nodes and contracts as they run.
	nodes     []v1alpha1.PlanNodeStatus
	contracts []nodes.Contract
	blocks    agentledger.Blocks
	// arrivals counts the statements that were kept, so that another one is a change of the input.
	arrivals int
}

// runs is whether the workload of a contract is ready as the plan has it.
func (in *ledgerInput) runs(contract v1alpha1.PlanContract) bool {
	return slices.ContainsFunc(in.contracts, func(c nodes.Contract) bool {
		return c.Name == contract.Name && c.Channel == contract.Channel && c.Running && !c.Refused
	})
}

// ledgerController runs the ledger phases of the plans, with a queue of its own, so that a consortium whose ledger does not
// answer blocks neither the controller of the plans nor another consortium.
type ledgerController struct {
	ledger Ledger
	// onResult is called when there is a new result.
	onResult func(plan string)
	// changed has the plans whose input has changed.
	changed chan event.TypedGenericEvent[string]

	mu    sync.Mutex
	plans map[string]*ledgerState
}

// ledgerState is the newest input and the newest output of one plan.
type ledgerState struct {
	// ctx ends with the plan.
	ctx    context.Context
	cancel context.CancelFunc
	in     ledgerInput
	out    *agentledger.Progress
	// outPlan is the plan that out belongs to.
	outPlan *v1alpha1.MemberPlan
	// tries are the runs since the last change of the input that have not done everything.
	tries int
}

func newLedgerController(phases Ledger, onResult func(plan string)) *ledgerController {
	return &ledgerController{
		ledger: phases, onResult: onResult, plans: map[string]*ledgerState{},
		changed: make(chan event.TypedGenericEvent[string], 1024),
	}
}

// setup adds the controller to a manager.
func (c *ledgerController) setup(mgr manager.Manager) error {
	it, err := controller.NewTyped("ledger", mgr, controller.TypedOptions[string]{Reconciler: c, MaxConcurrentReconciles: ledgerWorkers})
	if err != nil {
		return fmt.Errorf("make the controller of the ledgers: %w", err)
	}
	enqueue := handler.TypedFuncs[string, string]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[string], q workqueue.TypedRateLimitingInterface[string]) {
			q.Add(e.Object)
		},
	}
	return it.Watch(source.TypedChannel[string, string](c.changed, enqueue))
}

// submit hands over the current input and returns the latest result; current is whether that result belongs to the current
// plan. base ends with the agent.
func (c *ledgerController) submit(base context.Context, in ledgerInput) (out *agentledger.Progress, current bool) {
	name := in.plan.Name
	c.mu.Lock()
	it, ok := c.plans[name]
	if !ok {
		it = &ledgerState{}
		it.ctx, it.cancel = context.WithCancel(base)
		c.plans[name] = it
	}
	changed := !sameInput(it.in, in)
	it.in = in
	if changed {
		it.tries = 0
	}
	out, current = it.out, it.out != nil && samePlan(it.outPlan, in.plan)
	c.mu.Unlock()
	if changed {
		select {
		case c.changed <- event.TypedGenericEvent[string]{Object: name}:
		case <-base.Done():
		}
	}
	return out, current
}

// channels is the latest status of a plan's channels, or the reported one while there is no result yet.
func (c *ledgerController) channels(plan *v1alpha1.MemberPlan) []v1alpha1.PlanChannelStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	if it := c.plans[plan.Name]; it != nil && it.out != nil {
		return it.out.Channels
	}
	return plan.Status.Channels
}

// stop ends the work on a plan.
func (c *ledgerController) stop(plan string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if it, ok := c.plans[plan]; ok {
		it.cancel()
		delete(c.plans, plan)
	}
}

// Reconcile runs the phases of one plan once.
func (c *ledgerController) Reconcile(_ context.Context, name string) (reconcile.Result, error) {
	c.mu.Lock()
	it := c.plans[name]
	if it == nil {
		c.mu.Unlock()
		return reconcile.Result{}, nil
	}
	in := it.in
	if it.out != nil {
		in.plan = in.plan.DeepCopy()
		in.plan.Status.Channels, in.plan.Status.Contracts = it.out.Channels, it.out.Contracts
	}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(it.ctx, ledgerTimeout)
	defer cancel()
	out := c.ledger.Advance(ctx, agentledger.Input{
		Plan: in.plan, Records: in.records, Keys: in.keys, Blocks: in.blocks, Running: in.runs,
	})
	if it.ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	news, wait := c.finish(it, in.plan, out)
	if news {
		c.onResult(name)
	}
	return reconcile.Result{RequeueAfter: wait}, nil
}

// finish notes a result. It returns whether that is news, and when the phases are to run again.
func (c *ledgerController) finish(it *ledgerState, plan *v1alpha1.MemberPlan, out agentledger.Progress) (news bool, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	news = it.out == nil || !samePlan(it.outPlan, plan) || !equality.Semantic.DeepEqual(*it.out, out)
	it.out, it.outPlan = &out, plan
	if out.ChannelsReady.Ready && out.ContractsReady.Ready {
		it.tries = 0
		return news, idleInterval
	}
	wait = min(retryMin<<min(it.tries, 6), retryMax)
	it.tries++
	return news, wait
}

// sameInput is whether there is nothing new to act upon. Of a node only its readiness counts: its message changes often, and
// the ledger cannot use the node before it is ready.
func sameInput(a, b ledgerInput) bool {
	return samePlan(a.plan, b.plan) && a.arrivals == b.arrivals && maps.Equal(sequences(a), sequences(b)) &&
		slices.Equal(readyNodes(a), readyNodes(b)) && slices.Equal(runningContracts(a), runningContracts(b))
}

// samePlan is whether two plans have the same content. The organization's policy removes and adds contracts without a
// change of the generation.
func samePlan(a, b *v1alpha1.MemberPlan) bool {
	return a != nil && b != nil && a.UID == b.UID && a.Generation == b.Generation &&
		equality.Semantic.DeepEqual(a.Spec.Contracts, b.Spec.Contracts)
}

// sequences of the records and holdings tell them apart: one that says something else has a higher one.
func sequences(in ledgerInput) map[string][2]int64 {
	all := map[string][2]int64{}
	for member, record := range in.records {
		all[member] = [2]int64{record.Sequence, record.HoldingsSequence}
	}
	return all
}

func readyNodes(in ledgerInput) []string {
	var names []string
	for _, node := range in.nodes {
		if node.Ready {
			names = append(names, node.Name)
		}
	}
	return names
}

// runningContracts are those whose workload is ready: only they are approved.
func runningContracts(in ledgerInput) []string {
	var names []string
	for _, c := range in.contracts {
		if c.Running && !c.Refused {
			names = append(names, c.Channel+"-"+c.Name)
		}
	}
	return names
}
