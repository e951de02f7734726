package lifecycle

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
	// turn is how long one turn of the ledger phases may take.
	turn = 3 * time.Minute
	// retryFirst and retryMost bound how long it waits between turns while not everything is done, and idle when it is.
	retryFirst = 250 * time.Millisecond
	retryMost  = 15 * time.Second
	idle       = time.Minute
)

// workers run the ledger phases, one worker a plan, so that a consortium whose ledger does not answer keeps neither
// the reconciler nor another consortium.
type workers struct {
	ledger Ledger
	// wake is called when a worker has come to something new.
	wake func(plan string)

	mu      sync.Mutex
	running map[string]*worker
}

// worker holds the newest input and the newest output of one plan.
type worker struct {
	cancel context.CancelFunc
	kick   chan struct{}

	mu  sync.Mutex
	in  LedgerInput
	out *LedgerOutput
	// about is the plan that out is about.
	about *v1alpha1.MemberPlan
}

// submit hands over what there is now, and returns what the worker has come to so far; current says whether that is
// about the plan as it is.
func (w *workers) submit(base context.Context, plan string, in LedgerInput) (out *LedgerOutput, current bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	it, ok := w.running[plan]
	if !ok {
		ctx, cancel := context.WithCancel(base)
		it = &worker{cancel: cancel, kick: make(chan struct{}, 1)}
		w.running[plan] = it
		go it.run(ctx, w.ledger, func() { w.wake(plan) })
	}
	it.mu.Lock()
	defer it.mu.Unlock()
	changed := !sameInput(it.in, in)
	it.in = in
	if changed {
		select {
		case it.kick <- struct{}{}:
		default:
		}
	}
	return it.out, it.out != nil && samePlan(it.about, in.Plan)
}

// channels is how far a plan's worker is with the channels, or what was reported last while it has come to nothing yet.
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

func (it *worker) run(ctx context.Context, phases Ledger, wake func()) {
	wait := idle
	for tries := 0; ; {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-it.kick:
			tries = 0
		case <-timer.C:
		}
		timer.Stop()
		done := it.turn(ctx, phases, wake)
		if done {
			tries, wait = 0, idle
			continue
		}
		wait = min(retryFirst<<min(tries, 6), retryMost)
		tries++
	}
}

// turn runs the phases once and says whether everything is done.
func (it *worker) turn(ctx context.Context, phases Ledger, wake func()) bool {
	it.mu.Lock()
	in := it.in
	if it.out != nil {
		in.Plan = in.Plan.DeepCopy()
		in.Plan.Status.Channels, in.Plan.Status.Contracts = it.out.Channels, it.out.Contracts
	}
	it.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	out := phases.Advance(limited, in)
	if ctx.Err() != nil {
		return false
	}
	it.mu.Lock()
	news := it.out == nil || !samePlan(it.about, in.Plan) || !equality.Semantic.DeepEqual(*it.out, out)
	it.out, it.about = &out, in.Plan
	it.mu.Unlock()
	if news {
		wake()
	}
	return out.ChannelsReason == "" && out.ContractsReason == ""
}

// sameInput is whether there is nothing new for the worker to act upon. Of a node only that counts whether it is ready:
// what it is doing meanwhile changes often, and the ledger cannot use it before.
func sameInput(a, b LedgerInput) bool {
	return samePlan(a.Plan, b.Plan) && maps.Equal(sequences(a), sequences(b)) && slices.Equal(readyNodes(a), readyNodes(b)) &&
		slices.Equal(runningContracts(a), runningContracts(b))
}

// samePlan is whether two plans ask for the same. The organization's own policy takes contracts out of a plan, and lets
// them in, while the plan itself stays as it is.
func samePlan(a, b *v1alpha1.MemberPlan) bool {
	return a != nil && b != nil && a.UID == b.UID && a.Generation == b.Generation &&
		equality.Semantic.DeepEqual(a.Spec.Contracts, b.Spec.Contracts)
}

// sequences of the records tell them apart: a record that says something else has a higher one.
func sequences(in LedgerInput) map[string]int64 {
	all := map[string]int64{}
	for member, record := range in.Records {
		all[member] = record.Sequence
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
