package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// maxMembers of a Consortium, as its CRD has it.
	maxMembers = 64
	// maxRoots of a member at one time: the old one and the new one, of identities and of TLS.
	maxRoots = 8
	// charterLabel is the domain separator of a charter's digest, and names the format.
	charterLabel = "hanse-charter-v1\n"
)

// Member is one organization of a Consortium.
type Member struct {
	Name string `json:"name"`
	// Roots are the hex SHA-256 of the DER of its root certificates, sorted. Nothing that another root has certified is its own.
	Roots []string `json:"roots"`
}

// Charter is what the founding members agree on before anything else. It is in force when each of them has signed it.
type Charter struct {
	Consortium string `json:"consortium"`
	// Ledger technology, which never changes.
	Ledger v1alpha1.LedgerType `json:"ledger"`
	// Members that found it, sorted by name.
	Members []Member `json:"members"`
	Rules   Rules    `json:"rules"`
	// Quorum is how many members have to agree on the order of the log: Majority, TwoThirds or All. Of n members with a
	// quorum of q, fewer than 2q-n may lie without two logs, and n-q may be away without a halt.
	Quorum Threshold `json:"quorum"`
}

// CharterDigest is the hex SHA-256 by which everything later refers to a charter: over the label and the payload that its
// founders have signed.
func CharterDigest(payload []byte) string {
	digest := sha256.Sum256(append([]byte(charterLabel), payload...))
	return hex.EncodeToString(digest[:])
}

func (c *Charter) validate() error {
	if !v1alpha1.IsLabel(c.Consortium) {
		return invalid("consortium %.60q is not a name", c.Consortium)
	}
	if c.Ledger == "" {
		return invalid("the charter names no ledger technology")
	}
	if len(c.Members) == 0 || len(c.Members) > maxMembers {
		return invalid("%d members: a charter has from 1 to %d", len(c.Members), maxMembers)
	}
	names := make([]string, 0, len(c.Members))
	for _, m := range c.Members {
		if err := m.validate(); err != nil {
			return err
		}
		names = append(names, m.Name)
	}
	if err := sortedNames("members", names); err != nil {
		return err
	}
	if err := validateQuorum(c.Quorum); err != nil {
		return err
	}
	return c.Rules.validate(c.Members)
}

func validateQuorum(t Threshold) error {
	if t != Majority && t != TwoThirds && t != All {
		return invalid("quorum: %.40q: write %s, %s or %s", t, Majority, TwoThirds, All)
	}
	return nil
}

func (m *Member) validate() error {
	if !isMemberName(m.Name) {
		return invalid("%.60q is not the name of a member", m.Name)
	}
	if len(m.Roots) == 0 || len(m.Roots) > maxRoots {
		return invalid("member %s has %d roots: give from 1 to %d", m.Name, len(m.Roots), maxRoots)
	}
	for i, root := range m.Roots {
		if !v1alpha1.IsDigest(root) || (i > 0 && m.Roots[i-1] >= root) {
			return invalid("member %s: its roots are hex SHA-256 sums, sorted, and none twice", m.Name)
		}
	}
	return nil
}

func isMemberName(name string) bool {
	return v1alpha1.IsLabel(name) && len(name) <= v1alpha1.MaxMemberName
}

// sortedNames checks that names are sorted and none is there twice: what is signed has one form.
func sortedNames(what string, names []string) error {
	if len(names) > maxMembers {
		return invalid("%s: %d names, where %d are the most", what, len(names), maxMembers)
	}
	for i, name := range names {
		if i > 0 && names[i-1] >= name {
			return invalid("%s: %.60q after %.60q: sort them, and name none twice", what, name, names[i-1])
		}
	}
	return nil
}

func indexOf(members []Member, name string) int {
	return slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
}
