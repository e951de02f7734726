package reconcile

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

func TestSameInput(t *testing.T) {
	input := func() ledgerInput {
		return ledgerInput{
			plan:    &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: 2}},
			records: map[string]v1alpha1.Record{"org1": {Member: "org1", Sequence: 5}},
			nodes:   []v1alpha1.PlanNodeStatus{{Name: "peer0-org1", Ready: true}, {Name: "peer1-org1", Message: "its pod is starting"}},
		}
	}
	for _, row := range []struct {
		why    string
		change func(*ledgerInput)
		same   bool
	}{
		{"nothing has changed", func(*ledgerInput) {}, true},
		{"the plan has", func(in *ledgerInput) { in.plan.Generation++ }, false},
		{"the plan was made anew", func(in *ledgerInput) { in.plan.UID = "v" }, false},
		{"a person has approved a contract", func(in *ledgerInput) { in.plan.Spec.Contracts = []v1alpha1.PlanContract{{Name: "notary"}} }, false},
		{"the controller's own status is no news to it", func(in *ledgerInput) { in.plan.Status.Phase = "Channels" }, true},
		{"a record came", func(in *ledgerInput) { in.records["org2"] = v1alpha1.Record{Sequence: 1} }, false},
		{"a record has changed", func(in *ledgerInput) { in.records["org1"] = v1alpha1.Record{Sequence: 6} }, false},
		{"a node got ready", func(in *ledgerInput) { in.nodes[1].Ready = true }, false},
		{"a node is lost", func(in *ledgerInput) { in.nodes[0].Ready = false }, false},
		{"what a node does before it is ready is of no use", func(in *ledgerInput) { in.nodes[1].Message = "it runs and is not ready yet" }, true},
		{"a contract has come up, and can be approved", func(in *ledgerInput) { in.contracts = []nodes.Contract{{Name: "notary", Running: true}} }, false},
		{"what a contract waits for is not for the ledger", func(in *ledgerInput) {
			in.contracts = []nodes.Contract{{Name: "notary", Message: "its pod is starting"}}
		}, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			next := input()
			row.change(&next)
			if same := sameInput(input(), next); same != row.same {
				t.Errorf("same: %v", same)
			}
		})
	}
	if sameInput(ledgerInput{}, input()) {
		t.Error("the first input is news")
	}
}

func TestCurrentOutput(t *testing.T) {
	const looked, waits = "the channels are being checked", "waiting for the channels"
	ready := &agentledger.Progress{ChannelsReady: agentledger.Outcome{Ready: true}, ContractsReady: agentledger.Outcome{Ready: true}}
	unready := &agentledger.Progress{
		ChannelsReady:  agentledger.Outcome{Reason: v1alpha1.ReasonWaiting, Message: "the record of org3"},
		ContractsReady: agentledger.Outcome{Reason: v1alpha1.ReasonFailed, Message: "refused"},
	}
	for _, row := range []struct {
		why                 string
		out                 *agentledger.Progress
		current             bool
		channels, contracts string
	}{
		{"nothing is known yet", nil, false, looked, waits},
		{"what was ready is looked at again when the plan has changed", ready, false, looked, waits},
		{"what was not waits for the same until more is known", unready, false, "the record of org3", "refused"},
		{"what is about this plan holds", unready, true, "the record of org3", "refused"},
		{"everything is ready", ready, true, "", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			said := currentOutput(row.out, row.current)
			if said.ChannelsReady.Message != row.channels || said.ContractsReady.Message != row.contracts {
				t.Errorf("says %q and %q", said.ChannelsReady.Message, said.ContractsReady.Message)
			}
			if said.ChannelsReady.Ready != (row.channels == "") || said.ContractsReady.Ready != (row.contracts == "") {
				t.Errorf("reasons %q and %q", reasonOf(said.ChannelsReady), reasonOf(said.ContractsReady))
			}
		})
	}
}

// scriptedLedger finds done what it is told, and waits for its context to end while it is told to block.
type scriptedLedger struct {
	done, block bool
	ran         int
	ended       error
}

func (s *scriptedLedger) Forget(context.Context, *v1alpha1.MemberPlan) error { return nil }

func (s *scriptedLedger) Advance(ctx context.Context, _ agentledger.Input) agentledger.Progress {
	s.ran++
	if s.block {
		<-ctx.Done()
		s.ended = ctx.Err()
	}
	outcome := agentledger.Outcome{Ready: s.done, Reason: v1alpha1.ReasonReady}
	return agentledger.Progress{ChannelsReady: outcome, ContractsReady: outcome}
}

// TestLedgerRuns: when the phases run again, and who is told.
func TestLedgerRuns(t *testing.T) {
	phases, woken := &scriptedLedger{}, 0
	c := newLedgerController(phases, func(string) { woken++ })
	plan := &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Name: "trade", UID: "u", Generation: 1}}
	submit := func() bool {
		t.Helper()
		c.submit(t.Context(), ledgerInput{plan: plan.DeepCopy()})
		select {
		case e := <-c.changed:
			return e.Object == "trade"
		default:
			return false
		}
	}
	if !submit() || submit() {
		t.Fatal("the first input is news, and the same again is not")
	}
	for i, step := range []struct {
		why    string
		change func()
		again  time.Duration
		woken  int
	}{
		{"what is not done is tried again soon", func() {}, retryMin, 1},
		{"and later each time", func() {}, 2 * retryMin, 1},
		{"and later", func() {}, 4 * retryMin, 1},
		{"a change begins anew", func() { plan.Generation++; submit() }, retryMin, 2},
		{"what is done is looked at now and then", func() { phases.done = true }, idleInterval, 3},
		{"and nobody is told of what is as it was", func() {}, idleInterval, 3},
	} {
		step.change()
		got, err := c.Reconcile(t.Context(), "trade")
		if err != nil || got.RequeueAfter != step.again || woken != step.woken || phases.ran != i+1 {
			t.Errorf("%s: again after %s, woken %d times, %v", step.why, got.RequeueAfter, woken, err)
		}
	}
	phases.block = true
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if got, err := c.Reconcile(t.Context(), "trade"); err != nil || got.RequeueAfter != 0 {
			t.Errorf("a plan that was stopped is run again after %s: %v", got.RequeueAfter, err)
		}
	}()
	c.stop("trade")
	<-ended
	if !errors.Is(phases.ended, context.Canceled) && phases.ran == 7 {
		t.Errorf("the run ended with %v", phases.ended)
	}
	if got, err := c.Reconcile(t.Context(), "trade"); err != nil || got.RequeueAfter != 0 {
		t.Errorf("once it was stopped: again after %s, %v", got.RequeueAfter, err)
	}
}
