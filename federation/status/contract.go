package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// Contract aggregates what the Members report of a contract into its status.
func Contract(in plan.Input, res plan.Result, contract *v1alpha1.Contract, now time.Time) v1alpha1.ContractStatus {
	validation := res.Contracts[contract.Name]
	// An assigned sequence is kept even while the contract is not accepted.
	status := v1alpha1.ContractStatus{
		Sequence:       contract.Status.Sequence,
		DefinitionHash: contract.Status.DefinitionHash,
		Settled:        contract.Status.Settled,
		Committed:      contract.Status.Committed,
	}
	ready := Outcome{metav1.ConditionFalse, validation.Reason, validation.Message}
	if validation.Accepted {
		sequence := res.Sequences[contract.Name]
		p, counts := contractProgress(in, res, contract)
		status = v1alpha1.ContractStatus{
			Sequence: sequence.Number, DefinitionHash: sequence.Hash, Settled: sequence.Settled,
			Committed: sequence.Committed, Differs: sequence.Differs,
			Approved: ratio(counts.approved, counts.all), Running: ratio(counts.running, counts.all),
			Serving: ratio(counts.serving, counts.all),
		}
		ready = p.outcome(fmt.Sprintf("approved by %s members, runs at %s, answers at %s", status.Approved, status.Running, status.Serving))
		if sequence.Settled && sequence.Differs != "" {
			ready = Outcome{metav1.ConditionFalse, v1alpha1.ReasonDefinitionDiffers, definitionDiffers(sequence)}
		}
		if found := contractFaults(in, res, contract); len(found) > 0 {
			ready = faultOutcome(fmt.Sprintf("approved by %s members, runs at %s", status.Approved, status.Running), found)
		}
		if !res.Consortium.Accepted {
			ready = Outcome{metav1.ConditionFalse, v1alpha1.ReasonWaiting, "waiting for consortium " + in.Consortium.Name + " to be accepted"}
		}
	}
	status.ObservedGeneration = contract.Generation
	status.Conditions = Conditions(contract.Status.Conditions, contract.Generation, now, withStalled(map[string]Outcome{
		v1alpha1.ConditionAccepted: Accepted(validation),
		v1alpha1.ConditionReady:    ready,
	}))
	return status
}

// OrphanedContract is the status of a contract whose Channel, or whose Channel's Consortium, does not exist.
func OrphanedContract(contract *v1alpha1.Contract, validation plan.ValidationResult, now time.Time) v1alpha1.ContractStatus {
	res := plan.Result{Contracts: map[string]plan.ValidationResult{contract.Name: validation}}
	return Contract(plan.Input{}, res, contract, now)
}

// definitionDiffers is the message for a definition that was committed by other means.
func definitionDiffers(s plan.Sequence) string {
	return fmt.Sprintf("another definition is committed on the ledger, sequence %d: %s; to replace it, change the Contract, its version for example; to adopt it, declare the same in the Contract",
		s.Committed, s.Differs)
}

type contractCounts struct{ approved, running, serving, all int }

// contractProgress counts the Members that have approved, run and serve the contract, and collects what is pending.
func contractProgress(in plan.Input, res plan.Result, contract *v1alpha1.Contract) (aggregate, contractCounts) {
	channel := res.Resolved[contract.Spec.Channel]
	number, hash := res.Sequences[contract.Name].Number, res.Sequences[contract.Name].Hash
	counts := contractCounts{all: len(channel.Holding)}
	var approve, run, commit, serve, p aggregate
	for _, member := range channel.Holding {
		report := contractReport(in.Plans[member], contract.Spec.Channel, contract.LedgerName())
		if report.Definition != hash {
			// It is about an earlier declaration.
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
			p.addUnreachable(member)
		case !report.Running && report.Definition == hash:
			// A Member approves only what runs.
			run.addPending(member, "run contract "+contract.Name, report.Message)
		case report.Approved < number:
			approve.addPending(member, "approve contract "+contract.Name, report.Message)
		case report.Committed < number && member == channel.Leader:
			commit.addPending(member, "commit contract "+contract.Name, report.Message)
		case report.Committed < number:
			commit.addPending(member, "see contract "+contract.Name+" committed", report.Message)
		case !report.Serving:
			serve.addPending(member, "answer for contract "+contract.Name, report.Message)
		}
	}
	p.merge(run)
	p.merge(approve)
	p.merge(commit)
	p.merge(serve)
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
