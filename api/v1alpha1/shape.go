package v1alpha1

import (
	"fmt"
	"strings"
)

// Lengths of names, which the CRDs validate too. An agent checks them again, as it does not trust the host.
const (
	// MaxMemberName is the longest name of a Member, and of a Channel.
	MaxMemberName = 40
	// MaxConsortiumName is the longest name of a Consortium.
	MaxConsortiumName = 50
	// MaxWorkloadName is the longest name of a contract's workload, CHANNEL-CONTRACT, the hyphen not counted.
	MaxWorkloadName = 50
)

// IsLabel is whether a name is a DNS label that begins with a letter, as the names of Members, Consortia, Channels and
// Contracts are.
func IsLabel(name string) bool {
	if name == "" || len(name) > 63 || name[0] < 'a' || name[0] > 'z' || name[len(name)-1] == '-' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// NodeName is the name of a Member's i-th node of a role: peer0-MEMBER.
func NodeName(role NodeRole, i int32, member string) string {
	return fmt.Sprintf("%s%d-%s", strings.ToLower(string(role)), i, member)
}

// IsNodeOf is whether a node's name is one that this Member's nodes of this role can have; see NodeName. A mere suffix would
// not do, for peer0-a-b ends in -b too.
func IsNodeOf(node string, role NodeRole, member string) bool {
	kind := strings.ToLower(string(role))
	number, ok := strings.CutPrefix(node, kind)
	if kind == "" || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz") != "" || !ok {
		return false
	}
	number, ok = strings.CutSuffix(number, "-"+member)
	if !ok || number == "" || len(number) > 3 {
		return false
	}
	return strings.Trim(number, "0123456789") == ""
}
