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
		Committed:      contract.Status.Committed,
	}
	ready := Verdict{metav1.ConditionFalse, finding.Reason, finding.Message}
	if finding.Accepted {
		sequence := res.Sequences[contract.Name]
		p, counts := contractProgress(in, res, contract)
		status = v1alpha1.ContractStatus{
			Sequence: sequence.Number, DefinitionHash: sequence.Hash, Committed: sequence.Committed,
			Approved: ratio(counts.approved, counts.all), Running: ratio(counts.running, counts.all),
		}
		ready = p.verdict(fmt.Sprintf("approved by %s members, runs at %s", status.Approved, status.Running))
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

type contractCounts struct{ approved, running, all int }

// contractProgress says who has approved, who runs, and who is to commit.
func contractProgress(in plan.Input, res plan.Result, contract *v1alpha1.Contract) (progress, contractCounts) {
	channel := res.Resolved[contract.Spec.Channel]
	number := res.Sequences[contract.Name].Number
	counts := contractCounts{all: len(channel.Endorsing)}
	var approve, run, commit, p progress
	for _, member := range channel.Endorsing {
		report := contractReport(in.Plans[member], contract.Spec.Channel, contract.Name)
		if report.Approved >= number {
			counts.approved++
		}
		if report.Running {
			counts.running++
		}
		switch {
		case Online(in.Members[member]) != metav1.ConditionTrue:
			p.unheardOf(member)
		case report.Approved < number:
			approve.miss(member, "approve contract "+contract.Name, report.Message)
		case !report.Running:
			run.miss(member, "run contract "+contract.Name, report.Message)
		case report.Committed < number && member == channel.Leader:
			commit.miss(member, "commit contract "+contract.Name, report.Message)
		case report.Committed < number:
			commit.miss(member, "see contract "+contract.Name+" committed", report.Message)
		}
	}
	p.join(approve)
	p.join(run)
	p.join(commit)
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
