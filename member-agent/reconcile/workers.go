package reconcile

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// ledgerTimeout is the time limit of one run of the ledger phases.
	ledgerTimeout = 3 * time.Minute
	// retryMin and retryMax bound the interval between two runs while not everything is done; idleInterval is the interval
	// when everything is.
	retryMin     = 250 * time.Millisecond
	retryMax     = 15 * time.Second
	idleInterval = time.Minute
)

// workers run the ledger phases, one worker a plan, so that a consortium whose ledger does not answer blocks neither
// the reconciler nor another consortium.
type workers struct {
	ledger Ledger
	// onResult is called when a worker has a new result.
	onResult func(plan string)

	mu      sync.Mutex
	running map[string]*worker
}

// worker holds the newest input and the newest output of one plan.
type worker struct {
	cancel       context.CancelFunc
	inputChanged chan struct{}

	mu  sync.Mutex
	in  LedgerInput
	out *LedgerOutput
	// outPlan is the plan that out belongs to.
	outPlan *v1alpha1.MemberPlan
}

// submit hands over the current input and returns the worker's latest result; current is whether that result belongs to
// the current plan.
func (w *workers) submit(base context.Context, plan string, in LedgerInput) (out *LedgerOutput, current bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	it, ok := w.running[plan]
	if !ok {
		ctx, cancel := context.WithCancel(base)
		it = &worker{cancel: cancel, inputChanged: make(chan struct{}, 1)}
		w.running[plan] = it
		go it.run(ctx, w.ledger, func() { w.onResult(plan) })
	}
	it.mu.Lock()
	defer it.mu.Unlock()
	changed := !sameInput(it.in, in)
	it.in = in
	if changed {
		select {
		case it.inputChanged <- struct{}{}:
		default:
		}
	}
	return it.out, it.out != nil && samePlan(it.outPlan, in.Plan)
}

// channels is the worker's latest status of a plan's channels, or the reported one while there is no result yet.
func (w *workers) channels(plan *v1alpha1.MemberPlan) []v1alpha1.PlanChannelStatus {
	w.mu.Lock()
	it := w.running[plan.Name]
	w.mu.Unlock()
	if it != nil {
		it.mu.Lock()
		defer it.mu.Unlock()
		if it.out != nil {
			return it.out.Channels
		}
	}
	return plan.Status.Channels
}

// stop ends the worker of a plan.
func (w *workers) stop(plan string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if it, ok := w.running[plan]; ok {
		it.cancel()
		delete(w.running, plan)
	}
}

func (it *worker) run(ctx context.Context, phases Ledger, onResult func()) {
	wait := idleInterval
	for tries := 0; ; {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-it.inputChanged:
			tries = 0
		case <-timer.C:
		}
		timer.Stop()
		done := it.runOnce(ctx, phases, onResult)
		if done {
			tries, wait = 0, idleInterval
			continue
		}
		wait = min(retryMin<<min(tries, 6), retryMax)
		tries++
	}
}

// runOnce runs the phases once and says whether everything is done.
func (it *worker) runOnce(ctx context.Context, phases Ledger, wake func()) bool {
	it.mu.Lock()
	in := it.in
	if it.out != nil {
		in.Plan = in.Plan.DeepCopy()
		in.Plan.Status.Channels, in.Plan.Status.Contracts = it.out.Channels, it.out.Contracts
	}
	it.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	out := phases.Advance(limited, in)
	if ctx.Err() != nil {
		return false
	}
	it.mu.Lock()
	news := it.out == nil || !samePlan(it.outPlan, in.Plan) || !equality.Semantic.DeepEqual(*it.out, out)
	it.out, it.outPlan = &out, in.Plan
	it.mu.Unlock()
	if news {
		wake()
	}
	return out.ChannelsReason == "" && out.ContractsReason == ""
}

// sameInput is whether the worker has nothing new to act upon. Of a node only its readiness counts: its message changes
// often, and the ledger cannot use the node before it is ready.
func sameInput(a, b LedgerInput) bool {
	return samePlan(a.Plan, b.Plan) && a.Arrivals == b.Arrivals && maps.Equal(sequences(a), sequences(b)) && slices.Equal(readyNodes(a), readyNodes(b)) &&
		slices.Equal(runningContracts(a), runningContracts(b))
}

// samePlan is whether two plans have the same content. The organization's policy removes and adds contracts without a
// change of the generation.
func samePlan(a, b *v1alpha1.MemberPlan) bool {
	return a != nil && b != nil && a.UID == b.UID && a.Generation == b.Generation &&
		equality.Semantic.DeepEqual(a.Spec.Contracts, b.Spec.Contracts)
}

// sequences of the records and holdings tell them apart: one that says something else has a higher one.
func sequences(in LedgerInput) map[string][2]int64 {
	all := map[string][2]int64{}
	for member, record := range in.Records {
		all[member] = [2]int64{record.Sequence, record.HoldingsSequence}
	}
	return all
}

func readyNodes(in LedgerInput) []string {
	var names []string
	for _, node := range in.Nodes {
		if node.Ready {
			names = append(names, node.Name)
		}
	}
	return names
}

// runningContracts are those whose workload is ready: only they are approved.
func runningContracts(in LedgerInput) []string {
	var names []string
	for _, c := range in.Contracts {
		if c.Running && !c.Refused {
			names = append(names, c.Channel+"-"+c.Name)
		}
	}
	return names
}
