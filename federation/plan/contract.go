package plan

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TemplateVersion is the version of the contracts that ship with Hanse. It changes when they do, and not with every release:
// another image is another definition, which every organization approves anew.
const TemplateVersion = "0.1.0"

// contractImage is the image of a contract. The host's operators may set the image of a template, by digest for instance.
func contractImage(in Input, spec *v1alpha1.ContractSpec) string {
	if spec.Template != "" {
		if image := in.TemplateImages[spec.Template]; image != "" {
			return image
		}
		return TemplateImage(spec.Template)
	}
	return spec.Image
}

// TemplateImage is the image of a contract that ships with Hanse.
func TemplateImage(template v1alpha1.ContractTemplate) string {
	return fmt.Sprintf("ghcr.io/hanse-io/contract-%s:%s", template, TemplateVersion)
}

// resolveContracts validates the contracts and fills in the defaults of the accepted ones, sorted by channel and name.
func resolveContracts(in Input, res *Result) []v1alpha1.PlanContract {
	taken := map[string]string{} // by workload name
	for i := range in.Consortium.Spec.Members {
		for _, node := range in.Planner.Nodes(in.Consortium, &in.Consortium.Spec.Members[i]) {
			taken[node.Name] = "node " + node.Name
		}
	}
	var contracts []v1alpha1.PlanContract
	for _, contract := range byAge(in.Contracts) {
		validation := validateContract(in, contract, res, taken)
		res.Contracts[contract.Name] = validation
		if !validation.Accepted {
			continue
		}
		taken[workloadName(contract)] = "contract " + contract.Name
		channel := res.Resolved[contract.Spec.Channel]
		planned := v1alpha1.PlanContract{
			Name: contract.LedgerName(), Channel: contract.Spec.Channel,
			Image:       contractImage(in, &contract.Spec),
			Version:     cmp.Or(contract.Spec.Version, "1.0"),
			Endorsement: contractPolicy(in, contract, channel),
			Collections: in.Planner.Collections(contract.Spec.Collections),
			Resources:   contract.Spec.Resources.DeepCopy(),
			Env:         deepEnv(contract.Spec.Env),
			Replicas:    ptr.Deref(contract.Spec.Replicas, 1),
			TLS:         ptr.Deref(contract.Spec.TLS, true),
		}
		sequence := nextSequence(in, contract, planned, channel.Holding)
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

func contractPolicy(in Input, contract *v1alpha1.Contract, channel Channel) v1alpha1.EndorsementPolicy {
	if contract.Spec.Endorsement != nil {
		return in.Planner.Endorsement(contract.Spec.Endorsement)
	}
	return channel.Endorsement
}

// workloadName is what the names of a contract's workloads begin with in every member's cluster.
func workloadName(contract *v1alpha1.Contract) string {
	return contract.Spec.Channel + "-" + contract.LedgerName()
}

func validateContract(in Input, contract *v1alpha1.Contract, res *Result, taken map[string]string) ValidationResult {
	if validation, ok := validateDecoded(contract.Undecodable); !ok {
		return validation
	}
	validation, known := res.Channels[contract.Spec.Channel]
	if !known {
		return UnknownChannel(contract)
	}
	if !validation.Accepted {
		return invalid(v1alpha1.ReasonInvalid, "its channel %s is not accepted: correct that first", contract.Spec.Channel)
	}
	if other := taken[workloadName(contract)]; other != "" {
		return invalid(v1alpha1.ReasonNameTaken, "the contract would run under the name %s, which %s uses already: declare it under another name",
			workloadName(contract), other)
	}
	channel := res.Resolved[contract.Spec.Channel]
	members := organizations(in, channel.Members)
	if problem := in.Planner.CheckEndorsement(contractPolicy(in, contract, channel), members); problem != "" {
		return invalid(v1alpha1.ReasonInvalid, "%s", problem)
	}
	for i := range contract.Spec.Collections {
		if problem := in.Planner.CheckCollection(&contract.Spec.Collections[i], channel.Name, members); problem != "" {
			return invalid(v1alpha1.ReasonInvalid, "collection %s: %s", contract.Spec.Collections[i].Name, problem)
		}
	}
	return accepted()
}

// byAge sorts contracts by age, so that of two with the same name the older one is accepted.
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

// contractsFor are the contracts on the channels that a Member holds.
func contractsFor(member string, contracts []v1alpha1.PlanContract, resolved map[string]Channel) []v1alpha1.PlanContract {
	var own []v1alpha1.PlanContract
	for _, contract := range contracts {
		if channel := resolved[contract.Channel]; slices.Contains(channel.Holding, member) {
			own = append(own, contract)
		}
	}
	return own
}
