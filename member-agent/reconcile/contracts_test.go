package reconcile

import (
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

func TestMergeRunning(t *testing.T) {
	contract := func(message string) v1alpha1.PlanContractStatus {
		return v1alpha1.PlanContractStatus{Name: "notary", Channel: "settlement", Running: true, Message: message}
	}
	workload := func(channel string, runs bool) []nodes.Contract {
		return []nodes.Contract{{Name: "notary", Channel: channel, Running: runs, Message: "the image cannot be pulled"}}
	}
	for _, row := range []struct {
		why     string
		ledger  string
		running []nodes.Contract
		runs    bool
		message string
	}{
		{"a workload that runs", "", workload("settlement", true), true, ""},
		{"a workload that does not run says why", "", workload("settlement", false), false, "the image cannot be pulled"},
		{"what the ledger waits for comes first", "waiting for org2", workload("settlement", false), false, "waiting for org2"},
		{"the same name on another channel is another contract", "", workload("freight", true), false, ""},
		{"no workload yet", "", nil, false, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := mergeRunning([]v1alpha1.PlanContractStatus{contract(row.ledger)}, row.running)[0]
			if got.Running != row.runs || got.Message != row.message {
				t.Errorf("running %v, %q; want %v, %q", got.Running, got.Message, row.runs, row.message)
			}
		})
	}
}
