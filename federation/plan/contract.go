package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TemplateVersion is the version of the contracts that ship with Hanse.
const TemplateVersion = "0.1.0"

// Sequence numbers a contract's definition on its channel.
type Sequence struct {
	Number int64
	// Hash of the definition that Number is for.
	Hash string
	// Committed is what most of the channel's members say has been committed.
	Committed int64
}

// contractImage is what a contract runs as.
func contractImage(spec *v1alpha1.ContractSpec) string {
	if spec.Template != "" {
		return fmt.Sprintf("ghcr.io/hanse-io/contract-%s:%s", spec.Template, TemplateVersion)
	}
	return spec.Image
}

// resolveContracts judges the contracts and fills the accepted ones in, sorted by channel and name.
func resolveContracts(in Input, res *Result) []v1alpha1.PlanContract {
	taken := map[string]string{}
	for i := range in.Consortium.Spec.Members {
		for _, node := range planNodes(in.Consortium, &in.Consortium.Spec.Members[i]) {
			taken[node.Name] = "node " + node.Name
		}
	}
	var contracts []v1alpha1.PlanContract
	for _, contract := range byAge(in.Contracts) {
		finding := judgeContract(in.Consortium, contract, res, taken)
		res.Contracts[contract.Name] = finding
		if !finding.Accepted {
			continue
		}
		taken[workloadName(contract)] = "contract " + contract.Name
		channel := res.Resolved[contract.Spec.Channel]
		planned := v1alpha1.PlanContract{
			Name: contract.Name, Channel: contract.Spec.Channel,
			Image:       contractImage(&contract.Spec),
			Version:     cmp.Or(contract.Spec.Version, "1.0"),
			Endorsement: contractEndorsement(contract, channel),
			Resources:   contract.Spec.Resources.DeepCopy(),
			Env:         deepEnv(contract.Spec.Env),
			Replicas:    ptr.Deref(contract.Spec.Replicas, 1),
			TLS:         ptr.Deref(contract.Spec.TLS, true),
		}
		sequence := nextSequence(in, contract, planned, channel.Endorsing)
		res.Sequences[contract.Name] = sequence
		planned.Sequence = sequence.Number
		contracts = append(contracts, planned)
	}
	slices.SortFunc(contracts, func(a, b v1alpha1.PlanContract) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Name, b.Name))
	})
	return contracts
}

// deepEnv shares nothing with a Contract in the cache.
func deepEnv(env []v1alpha1.ContractEnvVar) []v1alpha1.ContractEnvVar {
	var copied []v1alpha1.ContractEnvVar
	for i := range env {
		copied = append(copied, *env[i].DeepCopy())
	}
	return copied
}

func contractEndorsement(contract *v1alpha1.Contract, channel Channel) v1alpha1.EndorsementPolicy {
	if contract.Spec.Endorsement != nil {
		return resolveEndorsement(contract.Spec.Endorsement)
	}
	return channel.Endorsement
}

// workloadName is the name that a contract's workload has in every member's cluster.
func workloadName(contract *v1alpha1.Contract) string {
	return contract.Spec.Channel + "-" + contract.Name
}

func judgeContract(consortium *v1alpha1.Consortium, contract *v1alpha1.Contract, res *Result, taken map[string]string) Finding {
	if finding, ok := undecodable(contract.Undecodable); !ok {
		return finding
	}
	finding, known := res.Channels[contract.Spec.Channel]
	if !known {
		return UnknownChannel(contract)
	}
	if !finding.Accepted {
		return refused(v1alpha1.ReasonInvalid, "its channel %s is not accepted: mend that first", contract.Spec.Channel)
	}
	if other := taken[workloadName(contract)]; other != "" {
		return refused(v1alpha1.ReasonNameTaken, "the contract would run under the name %s, which %s uses already: declare it under another name",
			workloadName(contract), other)
	}
	channel := res.Resolved[contract.Spec.Channel]
	if problem := judgeEndorsement(consortium, contractEndorsement(contract, channel), channel.Members); problem != "" {
		return refused(v1alpha1.ReasonInvalid, "%s", problem)
	}
	return accepted()
}

// byAge sorts contracts so that of two that clash the older one comes first.
func byAge(contracts []v1alpha1.Contract) []*v1alpha1.Contract {
	sorted := make([]*v1alpha1.Contract, len(contracts))
	for i := range contracts {
		sorted[i] = &contracts[i]
	}
	slices.SortFunc(sorted, func(a, b *v1alpha1.Contract) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

// contractsFor are the contracts that a Member's peers serve.
func contractsFor(member string, contracts []v1alpha1.PlanContract, resolved map[string]Channel) []v1alpha1.PlanContract {
	var own []v1alpha1.PlanContract
	for _, contract := range contracts {
		if channel := resolved[contract.Channel]; slices.Contains(channel.Endorsing, member) {
			own = append(own, contract)
		}
	}
	return own
}

// nextSequence gives a contract's definition its number. A number is used for one definition until the channel has
// committed it, for the ledger takes no other; the first change after that gets the next one.
func nextSequence(in Input, contract *v1alpha1.Contract, planned v1alpha1.PlanContract, members []string) Sequence {
	hash := definitionHash(planned)
	declared := contract.Status.Sequence
	for _, name := range members {
		for _, old := range planContracts(in.Plans[name]) {
			if old.Name != planned.Name || old.Channel != planned.Channel {
				continue
			}
			// A plan that went out before the number was written down is as binding as the note.
			if old.Sequence > declared && equality.Semantic.DeepEqual(definition(old), definition(planned)) {
				return Sequence{Number: old.Sequence, Hash: hash, Committed: min(old.Sequence, committedByMost(in, planned, members))}
			}
			declared = max(declared, old.Sequence)
		}
	}
	committed := min(declared, committedByMost(in, planned, members))
	number := max(declared, 1)
	if hash != contract.Status.DefinitionHash && declared > 0 && committed >= declared {
		number = committed + 1
	}
	return Sequence{Number: number, Hash: hash, Committed: committed}
}

func planContracts(plan *v1alpha1.MemberPlan) []v1alpha1.PlanContract {
	if plan == nil {
		return nil
	}
	return plan.Spec.Contracts
}

// committedByMost is the highest sequence that more than half of the members report as committed, so that no single
// member can push the number on.
func committedByMost(in Input, contract v1alpha1.PlanContract, members []string) int64 {
	reports := make([]int64, len(members))
	for i, name := range members {
		if plan := in.Plans[name]; plan != nil {
			for _, c := range plan.Status.Contracts {
				if c.Name == contract.Name && c.Channel == contract.Channel {
					reports[i] = c.Committed
				}
			}
		}
	}
	if len(reports) == 0 {
		return 0
	}
	slices.SortFunc(reports, func(a, b int64) int { return cmp.Compare(b, a) })
	return max(0, reports[len(reports)/2])
}

// definition is the part of a contract that the members approve.
func definition(c v1alpha1.PlanContract) v1alpha1.PlanContract {
	return v1alpha1.PlanContract{Name: c.Name, Channel: c.Channel, Image: c.Image, Version: c.Version, Endorsement: c.Endorsement}
}

// definitionHash is the hex SHA-256 of a definition.
func definitionHash(c v1alpha1.PlanContract) string {
	// Strings and numbers only: this cannot fail.
	text, _ := json.Marshal(definition(c))
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
