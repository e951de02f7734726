package fold

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// Contract folds what the Members report of a contract into its status.
func Contract(in plan.Input, res plan.Result, contract *v1alpha1.Contract, now time.Time) v1alpha1.ContractStatus {
	finding := res.Contracts[contract.Name]
	// The number once given is kept even while the contract is refused.
	status := v1alpha1.ContractStatus{
		Sequence:       contract.Status.Sequence,
		DefinitionHash: contract.Status.DefinitionHash,
		Settled:        contract.Status.Settled,
		Committed:      contract.Status.Committed,
	}
	ready := Verdict{metav1.ConditionFalse, finding.Reason, finding.Message}
	if finding.Accepted {
		sequence := res.Sequences[contract.Name]
		p, counts := contractProgress(in, res, contract)
		status = v1alpha1.ContractStatus{
			Sequence: sequence.Number, DefinitionHash: sequence.Hash, Settled: sequence.Settled,
			Committed: sequence.Committed, Differs: sequence.Differs,
			Approved: ratio(counts.approved, counts.all), Running: ratio(counts.running, counts.all),
			Serving: ratio(counts.serving, counts.all),
		}
		ready = p.verdict(fmt.Sprintf("approved by %s members, runs at %s, answers at %s", status.Approved, status.Running, status.Serving))
		if sequence.Settled && sequence.Differs != "" {
			ready = Verdict{metav1.ConditionFalse, v1alpha1.ReasonDefinitionDiffers, foreign(sequence)}
		}
		if found := contractFaults(in, res, contract); len(found) > 0 {
			ready = faultVerdict(fmt.Sprintf("approved by %s members, runs at %s", status.Approved, status.Running), found)
		}
		if !res.Consortium.Accepted {
			ready = Verdict{metav1.ConditionFalse, v1alpha1.ReasonWaiting, "waiting for consortium " + in.Consortium.Name + " to be accepted"}
		}
	}
	status.ObservedGeneration = contract.Generation
	status.Conditions = Conditions(contract.Status.Conditions, contract.Generation, now, map[string]Verdict{
		v1alpha1.ConditionAccepted: Accepted(finding),
		v1alpha1.ConditionReady:    ready,
	})
	return status
}

// LoneContract is the status of a contract whose Channel, or whose Channel's Consortium, does not exist.
func LoneContract(contract *v1alpha1.Contract, finding plan.Finding, now time.Time) v1alpha1.ContractStatus {
	res := plan.Result{Contracts: map[string]plan.Finding{contract.Name: finding}}
	return Contract(plan.Input{}, res, contract, now)
}

// foreign says what to do about a definition that somebody committed by other means.
func foreign(s plan.Sequence) string {
	return fmt.Sprintf("somebody has committed another definition on the ledger, sequence %d: %s; to replace it, change the Contract, its version for example; to adopt it, declare the same in the Contract",
		s.Committed, s.Differs)
}

type contractCounts struct{ approved, running, serving, all int }

// contractProgress says who has approved, who runs, and who is to commit.
func contractProgress(in plan.Input, res plan.Result, contract *v1alpha1.Contract) (progress, contractCounts) {
	channel := res.Resolved[contract.Spec.Channel]
	number, hash := res.Sequences[contract.Name].Number, res.Sequences[contract.Name].Hash
	counts := contractCounts{all: len(channel.Endorsing)}
	var approve, run, commit, serve, p progress
	for _, member := range channel.Endorsing {
		report := contractReport(in.Plans[member], contract.Spec.Channel, contract.LedgerName())
		if report.Definition != hash {
			// It is about something else that was declared before.
			report.Approved, report.Serving = 0, false
		}
		if report.Approved >= number {
			counts.approved++
		}
		if report.Running {
			counts.running++
		}
		if report.Serving {
			counts.serving++
		}
		switch {
		case Online(in.Members[member]) != metav1.ConditionTrue:
			p.unheardOf(member)
		case !report.Running && report.Definition == hash:
			// It approves only what runs.
			run.miss(member, "run contract "+contract.Name, report.Message)
		case report.Approved < number:
			approve.miss(member, "approve contract "+contract.Name, report.Message)
		case report.Committed < number && member == channel.Leader:
			commit.miss(member, "commit contract "+contract.Name, report.Message)
		case report.Committed < number:
			commit.miss(member, "see contract "+contract.Name+" committed", report.Message)
		case !report.Serving:
			serve.miss(member, "answer for contract "+contract.Name, report.Message)
		}
	}
	p.join(run)
	p.join(approve)
	p.join(commit)
	p.join(serve)
	return p, counts
}

func contractReport(plan *v1alpha1.MemberPlan, channel, contract string) v1alpha1.PlanContractStatus {
	if plan != nil {
		for _, report := range plan.Status.Contracts {
			if report.Channel == channel && report.Name == contract {
				return report
			}
		}
	}
	return v1alpha1.PlanContractStatus{}
}
