package statement

import (
	"encoding/json"
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
	maxRecordRoots = 8 // and as many keys
)

// NewRecord is the unsigned statement of a Member's record.
func NewRecord(r v1alpha1.Record) (v1alpha1.StatementSpec, error) {
	payload, err := json.Marshal(r)
	return v1alpha1.StatementSpec{Consortium: r.Consortium, Member: r.Member, Kind: v1alpha1.StatementRecord, Sequence: r.Sequence, Payload: payload}, err
}

// Record is the record in a statement of that kind, checked against the statement's Member, with the fields that the statement
// has beside it.
func Record(s *v1alpha1.StatementSpec) (v1alpha1.Record, error) {
	var none, r v1alpha1.Record
	if err := withoutSubject(s); err != nil {
		return none, err
	}
	if err := json.Unmarshal(s.Payload, &r); err != nil {
		return none, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	r.Member, r.Consortium, r.Sequence = s.Member, s.Consortium, s.Sequence
	switch {
	case len(r.Nodes) > maxNodes:
		return none, fmt.Errorf("%w: %d nodes", ErrTooLarge, len(r.Nodes))
	case len(r.Lines) > maxLines:
		return none, fmt.Errorf("%w: %d lines", ErrTooLarge, len(r.Lines))
	case len(r.IdentityRoots) > maxRecordRoots || len(r.TLSRoots) > maxRecordRoots:
		return none, fmt.Errorf("%w: more than %d roots of a kind", ErrTooLarge, maxRecordRoots)
	case len(r.IdentityKeys) > maxRecordRoots:
		return none, fmt.Errorf("%w: %d identity keys", ErrTooLarge, len(r.IdentityKeys))
	}
	if err := checkNodes(&r); err != nil {
		return none, err
	}
	if err := checkLines(&r); err != nil {
		return none, err
	}
	if err := checkRoots("identity root", r.IdentityRoots); err != nil {
		return none, err
	}
	if err := checkRoots("TLS root", r.TLSRoots); err != nil {
		return none, err
	}
	for i, text := range r.IdentityKeys {
		if _, err := ParsePublicKey(text); err != nil {
			return none, fmt.Errorf("%w: identity key %d: %w", ErrMalformed, i, err)
		}
	}
	return r, nil
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
		case !v1alpha1.IsNodeOf(n.Name, n.Role, r.Member):
			return fmt.Errorf("%w: node %s has the role %.40q, which its name does not fit", ErrMalformed, n.Name, n.Role)
		case !validPort(n.Port):
			return fmt.Errorf("%w: node %s has port %d", ErrMalformed, n.Name, n.Port)
		}
		seen[n.Name] = true
		if _, err := ParseCertificates(n.TLSCertificate, 1); n.TLSCertificate != "" && err != nil {
			return fmt.Errorf("%w: TLS certificate of node %d: %w", ErrMalformed, i, err)
		}
		if _, err := ParsePublicKey(n.PublicKey); n.PublicKey != "" && err != nil {
			return fmt.Errorf("%w: public key of node %d: %w", ErrMalformed, i, err)
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
