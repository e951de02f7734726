package reconcile

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

func TestSameInput(t *testing.T) {
	input := func() LedgerInput {
		return LedgerInput{
			Plan:    &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: 2}},
			Records: map[string]v1alpha1.Record{"org1": {Member: "org1", Sequence: 5}},
			Nodes:   []v1alpha1.PlanNodeStatus{{Name: "peer0-org1", Ready: true}, {Name: "peer1-org1", Message: "its pod is starting"}},
		}
	}
	for _, row := range []struct {
		why    string
		change func(*LedgerInput)
		same   bool
	}{
		{"nothing has changed", func(*LedgerInput) {}, true},
		{"the plan has", func(in *LedgerInput) { in.Plan.Generation++ }, false},
		{"the plan was made anew", func(in *LedgerInput) { in.Plan.UID = "v" }, false},
		{"a person has approved a contract", func(in *LedgerInput) { in.Plan.Spec.Contracts = []v1alpha1.PlanContract{{Name: "notary"}} }, false},
		{"the worker's own status is no news to it", func(in *LedgerInput) { in.Plan.Status.Phase = "Channels" }, true},
		{"a record came", func(in *LedgerInput) { in.Records["org2"] = v1alpha1.Record{Sequence: 1} }, false},
		{"a record has changed", func(in *LedgerInput) { in.Records["org1"] = v1alpha1.Record{Sequence: 6} }, false},
		{"a node got ready", func(in *LedgerInput) { in.Nodes[1].Ready = true }, false},
		{"a node is lost", func(in *LedgerInput) { in.Nodes[0].Ready = false }, false},
		{"what a node does before it is ready is of no use", func(in *LedgerInput) { in.Nodes[1].Message = "it runs and is not ready yet" }, true},
		{"a contract has come up, and can be approved", func(in *LedgerInput) { in.Contracts = []nodes.Contract{{Name: "notary", Running: true}} }, false},
		{"what a contract waits for is not for the ledger", func(in *LedgerInput) {
			in.Contracts = []nodes.Contract{{Name: "notary", Message: "its pod is starting"}}
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
	if sameInput(LedgerInput{}, input()) {
		t.Error("the first input is news")
	}
}

func TestCurrentOutput(t *testing.T) {
	const looked, waits = "the channels are being checked", "waiting for the channels"
	unready := &LedgerOutput{
		ChannelsReason: v1alpha1.ReasonWaiting, ChannelsMessage: "the record of org3",
		ContractsReason: v1alpha1.ReasonFailed, ContractsMessage: "refused",
	}
	for _, row := range []struct {
		why                 string
		out                 *LedgerOutput
		current             bool
		channels, contracts string
	}{
		{"nothing is known yet", nil, false, looked, waits},
		{"what was ready is looked at again when the plan has changed", &LedgerOutput{}, false, looked, waits},
		{"what was not waits for the same until more is known", unready, false, "the record of org3", "refused"},
		{"what is about this plan holds", unready, true, "the record of org3", "refused"},
		{"everything is ready", &LedgerOutput{}, true, "", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			said := currentOutput(row.out, row.current)
			if said.ChannelsMessage != row.channels || said.ContractsMessage != row.contracts {
				t.Errorf("says %q and %q", said.ChannelsMessage, said.ContractsMessage)
			}
			if (said.ChannelsReason == "") != (row.channels == "") || (said.ContractsReason == "") != (row.contracts == "") {
				t.Errorf("reasons %q and %q", said.ChannelsReason, said.ContractsReason)
			}
		})
	}
}
