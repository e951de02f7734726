package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

func TestExplainNotFound(t *testing.T) {
	plan := &v1alpha1.MemberPlan{}
	plan.Spec.Contracts = []v1alpha1.PlanContract{{Channel: "deals", Name: "notary"}, {Channel: "deals", Name: "asset"}, {Channel: "freight", Name: "notry"}}
	failed := func(kind ledger.FailureKind) error { return fmt.Errorf("raw%w", &ledger.Failure{Kind: kind}) }
	for _, row := range []struct {
		why, channel, contract string
		err                    error
		want                   string
		code                   int
	}{
		{"a misspelt contract is named, and those that there are", "deals", "notry", failed(ledger.FailedOtherwise), "channel deals has no contract notry; it has: asset, notary (what its peer says: raw", 1},
		{"so it is when nobody endorses it", "deals", "notry", failed(ledger.FailedToBeEndorsed), "channel deals has no contract notry; it has: asset, notary", 4},
		{"a channel without contracts", "empty", "notary", failed(ledger.FailedOtherwise), "channel empty has no contract notary; it has: none", 1},
		{"a contract of the plan fails for its own reason", "deals", "notary", failed(ledger.FailedToReach), "raw", 6},
		{"one that answers is there, whoever has committed it", "deals", "foreign", failed(ledger.FailedByContract), "raw", 3},
		{"and so is one whose transaction was ordered", "deals", "foreign", failed(ledger.FailedToCommit), "raw", 5},
		{"success is no failure", "deals", "foreign", nil, "", 0},
	} {
		err := invocation{channel: row.channel, contract: row.contract}.explainNotFound(plan, row.err)
		if row.err == nil {
			if err != nil {
				t.Errorf("%s: %v", row.why, err)
			}
			continue
		}
		code := 1
		var chosen exitError
		if errors.As(exit(err), &chosen) {
			code = chosen.ExitCode()
		}
		if !strings.HasPrefix(err.Error(), row.want) || code != row.code {
			t.Errorf("%s: code %d, %v", row.why, code, err)
		}
	}
}

func TestEndorsedBy(t *testing.T) {
	got := endorsedBy(&ledger.Answer{Transaction: "mine", Block: 7, Endorsers: []ledger.Endorser{
		{Member: "org1", Node: "peer0-org1"}, {Member: "org3", Node: "peer1-org3"},
	}})
	if want := "endorsed by org1 (peer0-org1) and org3 (peer1-org3), says block 7 of transaction mine"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
