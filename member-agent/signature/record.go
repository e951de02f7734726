package signature

import (
	"fmt"
	"net"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// What one record may hold. A Member runs at most 32 peers and 9 orderers in a Consortium of at most 64 Members.
const (
	maxNodes       = 64
	maxLines       = 256
	maxRecordRoots = 8
	maxChannels    = v1alpha1.MaxPlanChannels
)

// check validates a record's content against its member and consortium.
func check(r *v1alpha1.Record, member, consortium string) error {
	switch {
	case r.Member != member:
		return fmt.Errorf("%w: it names %.60q, and not %q", ErrWrongMember, r.Member, member)
	case r.Consortium != consortium:
		return fmt.Errorf("%w: it names %.60q, and not %q", ErrWrongConsortium, r.Consortium, consortium)
	case r.Sequence <= 0:
		return fmt.Errorf("%w: sequence %d is not positive", ErrMalformed, r.Sequence)
	case len(r.Nodes) > maxNodes:
		return fmt.Errorf("%w: %d nodes", ErrTooLarge, len(r.Nodes))
	case len(r.Lines) > maxLines:
		return fmt.Errorf("%w: %d lines", ErrTooLarge, len(r.Lines))
	case len(r.IdentityRoots) > maxRecordRoots || len(r.TLSRoots) > maxRecordRoots:
		return fmt.Errorf("%w: more than %d roots of a kind", ErrTooLarge, maxRecordRoots)
	}
	if err := checkNodes(r); err != nil {
		return err
	}
	if err := checkLines(r); err != nil {
		return err
	}
	if err := checkChannels(r); err != nil {
		return err
	}
	if err := checkRoots("identity root", r.IdentityRoots); err != nil {
		return err
	}
	return checkRoots("TLS root", r.TLSRoots)
}

func checkNodes(r *v1alpha1.Record) error {
	seen := map[string]bool{}
	for i, n := range r.Nodes {
		if !ownNode(n.Name, r.Member) {
			return fmt.Errorf("%w: node %.80q is not one of %q", ErrWrongMember, n.Name, r.Member)
		}
		switch {
		case seen[n.Name]:
			return fmt.Errorf("%w: node %s twice", ErrMalformed, n.Name)
		case n.Role != v1alpha1.RolePeer && n.Role != v1alpha1.RoleOrderer:
			return fmt.Errorf("%w: node %s has the role %.40q", ErrMalformed, n.Name, n.Role)
		case !validPort(n.Port):
			return fmt.Errorf("%w: node %s has port %d", ErrMalformed, n.Name, n.Port)
		}
		seen[n.Name] = true
		if n.TLSCertificate == "" {
			continue
		}
		if _, err := ParseCertificates(n.TLSCertificate, 1); err != nil {
			return fmt.Errorf("%w: TLS certificate of node %d: %w", ErrMalformed, i, err)
		}
	}
	return nil
}

// ownNode is whether the name is a node's of that Member: one word, a hyphen, the Member. The word holds no hyphen, for
// Members' names may, and peer0-big-org1 is a node of big-org1 and not of org1.
func ownNode(name, member string) bool {
	word, ok := strings.CutSuffix(name, "-"+member)
	return ok && !strings.Contains(word, "-") && len(validation.IsDNS1035Label(name)) == 0
}

func checkLines(r *v1alpha1.Record) error {
	seen := map[string]bool{}
	for _, l := range r.Lines {
		switch {
		case len(validation.IsDNS1123Subdomain(l.Name)) > 0:
			return fmt.Errorf("%w: line name %.80q", ErrMalformed, l.Name)
		case seen[l.Name]:
			return fmt.Errorf("%w: line %s twice", ErrMalformed, l.Name)
		case !validAddress(l.Address):
			return fmt.Errorf("%w: line %s has the address %.80q", ErrMalformed, l.Name, l.Address)
		case !validPort(l.Port):
			return fmt.Errorf("%w: line %s has port %d", ErrMalformed, l.Name, l.Port)
		}
		seen[l.Name] = true
	}
	return nil
}

// checkChannels checks that channels are unique and have the hex SHA-256 of a block.
func checkChannels(r *v1alpha1.Record) error {
	if len(r.Channels) > maxChannels {
		return fmt.Errorf("%w: %d channels", ErrTooLarge, len(r.Channels))
	}
	seen := map[string]bool{}
	for _, c := range r.Channels {
		switch {
		case !v1alpha1.IsLabel(c.Name) || len(c.Name) > v1alpha1.MaxMemberName:
			return fmt.Errorf("%w: channel name %.80q", ErrMalformed, c.Name)
		case seen[c.Name]:
			return fmt.Errorf("%w: channel %s twice", ErrMalformed, c.Name)
		case len(c.GenesisHash) != 64 || strings.Trim(c.GenesisHash, "0123456789abcdef") != "":
			return fmt.Errorf("%w: channel %s has the first block %.80q", ErrMalformed, c.Name, c.GenesisHash)
		}
		seen[c.Name] = true
	}
	return nil
}

func validPort(p int32) bool { return p > 0 && p < 1<<16 }

func validAddress(a string) bool {
	if ip := net.ParseIP(a); ip != nil {
		return !ip.IsUnspecified() && !ip.IsMulticast()
	}
	return len(validation.IsDNS1123Subdomain(a)) == 0
}

func checkRoots(what string, roots []string) error {
	for i, text := range roots {
		certs, err := ParseCertificates(text, 1)
		if err != nil {
			return fmt.Errorf("%w: %s %d: %w", ErrMalformed, what, i, err)
		}
		if !certs[0].IsCA {
			return fmt.Errorf("%w: %s %d is not the certificate of a CA", ErrMalformed, what, i)
		}
	}
	return nil
}
