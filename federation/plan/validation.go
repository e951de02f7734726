package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// ValidationResult is whether an object is valid together with the objects that it names. It becomes the condition Accepted.
type ValidationResult struct {
	Accepted bool
	Reason   string
	// Message says what is wrong and how to fix it.
	Message string
}

func accepted() ValidationResult {
	return ValidationResult{Accepted: true, Reason: v1alpha1.ReasonAccepted, Message: "the specification is valid"}
}

func invalid(reason, format string, args ...any) ValidationResult {
	return ValidationResult{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// UnknownConsortium is the result for a channel whose Consortium does not exist.
func UnknownConsortium(channel *v1alpha1.Channel) ValidationResult {
	return invalid(v1alpha1.ReasonNotFound, "there is no Consortium %s in namespace %s: create it, or declare the channel with another consortium",
		channel.Spec.Consortium, channel.Namespace)
}

// UnknownChannel is the result for a contract whose Channel does not exist.
func UnknownChannel(contract *v1alpha1.Contract) ValidationResult {
	return invalid(v1alpha1.ReasonNotFound, "there is no Channel %s in namespace %s: create it, or declare the contract on another channel",
		contract.Spec.Channel, contract.Namespace)
}

// ValidateLine checks that both Members of a line exist, and that no older line has the same pair of addresses.
func ValidateLine(line *v1alpha1.Line, others []v1alpha1.Line, exists func(member string) bool) ValidationResult {
	if validation, ok := validateDecoded(line.Undecodable); !ok {
		return validation
	}
	var missing []string
	for _, end := range line.Spec.Ends {
		if !exists(end.Member) {
			missing = append(missing, end.Member)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return invalid(v1alpha1.ReasonNotFound, "there is no Member %s: create it, or correct spec.ends", strings.Join(missing, ", "))
	}
	if other := olderDuplicate(line, others); other != "" {
		return invalid(v1alpha1.ReasonAddressTaken, "line %s has the same two addresses: delete one of them, or correct spec.ends",
			other)
	}
	return accepted()
}

// validateConsortium checks whether a Consortium can be planned. A Member that has not registered yet is valid: it is waited
// for. One that does not exist is not: its plan would have no namespace.
func validateConsortium(in Input) ValidationResult {
	if validation, ok := validateDecoded(in.Consortium.Undecodable); !ok {
		return validation
	}
	var missing []string
	for _, m := range in.Consortium.Spec.Members {
		if in.Members[m.Name] == nil {
			missing = append(missing, m.Name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return invalid(v1alpha1.ReasonNotFound, "there is no Member %s: create it, or correct the name in spec.members", strings.Join(missing, ", "))
	}
	for _, m := range in.Consortium.Spec.Members {
		if validation := ValidateMember(in.Members[m.Name]); !validation.Accepted {
			return invalid(validation.Reason, "Member %s: %s", m.Name, validation.Message)
		}
	}
	var names []string
	for _, m := range in.Consortium.Spec.Members {
		names = append(names, m.Name)
	}
	if problem := in.Planner.CheckOrganizations(organizations(in, names)); problem != "" {
		return invalid(v1alpha1.ReasonNameTaken, "%s", problem)
	}
	if conflict, member := oldestConflict(in); conflict != nil {
		if member == "" { // nothing more is said about a consortium of others
			return invalid(v1alpha1.ReasonNameTaken, "an older consortium of another namespace has this name, and a name can be used once on a host: declare this one under another name")
		}
		return invalid(v1alpha1.ReasonNameTaken, "member %s already takes part in the older consortium %s of namespace %s, and a name can be used once in a member's cluster: declare this one under another name",
			member, conflict.Name, conflict.Namespace)
	}
	return accepted()
}

// oldestConflict is the oldest Consortium of the same name that is older than this one, and a Member that they share, if any;
// nil if there is none. The namespaces for both Consortia's statements would be the same.
func oldestConflict(in Input) (conflict *v1alpha1.Consortium, member string) {
	for i := range in.Conflicts {
		other := &in.Conflicts[i]
		if other.Namespace == in.Consortium.Namespace || !isOlderConsortium(other, cmp.Or(conflict, in.Consortium)) {
			continue
		}
		conflict, member = other, ""
		if shared := slices.IndexFunc(in.Consortium.Spec.Members, func(m v1alpha1.ConsortiumMember) bool { return isMember(other, m.Name) }); shared >= 0 {
			member = in.Consortium.Spec.Members[shared].Name
		}
	}
	return conflict, member
}

// isOlderConsortium is whether a was created before b; of two created in the same second, the first by namespace is older.
func isOlderConsortium(a, b *v1alpha1.Consortium) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Namespace < b.Namespace
}

// validateChannel checks a channel together with its Consortium.
func validateChannel(in Input, channel *v1alpha1.Channel) ValidationResult {
	if validation, ok := validateDecoded(channel.Undecodable); !ok {
		return validation
	}
	consortium := in.Consortium
	var unknown []string
	for _, name := range channel.Spec.Members {
		if !isMember(consortium, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return invalid(v1alpha1.ReasonInvalid, "%s is not a member of consortium %s: declare the channel among the consortium's members",
			strings.Join(unknown, ", "), consortium.Name)
	}
	members := channelMembers(consortium, channel)
	if problem := in.Planner.CheckEndorsement(in.Planner.Endorsement(channel.Spec.Endorsement), organizations(in, members)); problem != "" {
		return invalid(v1alpha1.ReasonInvalid, "%s", problem)
	}
	if problem := in.Planner.CheckBatch(channel.Spec.Batch); problem != "" {
		return invalid(v1alpha1.ReasonInvalid, "%s", problem)
	}
	return accepted()
}
