package statements

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// reference is what a plan says of a statement that it refers to.
type reference struct {
	ref v1alpha1.StatementRef
	key statement.Key
}

// references lists the statements of others that a plan refers to. What the own Member has signed is kept here anyway.
func references(plan *v1alpha1.MemberPlan) []reference {
	var all []reference
	add := func(member, digest string, kind v1alpha1.StatementKind, subject string) {
		if digest != "" && member != plan.Spec.Member {
			all = append(all, reference{
				ref: v1alpha1.StatementRef{Member: member, Digest: digest},
				key: statement.Key{Member: member, Kind: kind, Subject: subject},
			})
		}
	}
	for i := range plan.Spec.Members {
		m := &plan.Spec.Members[i]
		add(m.Name, m.Record, v1alpha1.StatementRecord, "")
		add(m.Name, m.Holdings, v1alpha1.StatementHoldings, "")
	}
	for i := range plan.Spec.Channels {
		if c := &plan.Spec.Channels[i]; c.Genesis != nil && isMember(plan, c.Genesis.Member) {
			add(c.Genesis.Member, c.Genesis.Digest, v1alpha1.StatementGenesis, c.Name)
		}
	}
	return all
}

func isMember(plan *v1alpha1.MemberPlan, name string) bool {
	return slices.ContainsFunc(plan.Spec.Members, func(m v1alpha1.PlanMember) bool { return m.Name == name })
}

// Missing are the statements that a plan refers to and that are not kept here.
func (s *Store) Missing(ctx context.Context, plan *v1alpha1.MemberPlan) ([]v1alpha1.StatementRef, error) {
	var missing []v1alpha1.StatementRef
	for _, r := range references(plan) {
		has, err := s.Has(ctx, plan.Spec.Consortium, r.ref)
		if err != nil {
			return nil, err
		}
		if !has {
			missing = append(missing, r.ref)
		}
	}
	return missing, nil
}

// Take verifies a statement that a plan refers to, and keeps it. An error that is statement.ErrNoRoot says that its Member's
// root is not pinned yet.
func (s *Store) Take(ctx context.Context, plan *v1alpha1.MemberPlan, ref v1alpha1.StatementRef, spec v1alpha1.StatementSpec) error {
	err := s.verify(ctx, plan, ref, &spec)
	if err != nil {
		s.reject(plan.Spec.Consortium, ref.Member, err)
		return err
	}
	return s.Keep(ctx, spec)
}

func (s *Store) verify(ctx context.Context, plan *v1alpha1.MemberPlan, ref v1alpha1.StatementRef, spec *v1alpha1.StatementSpec) error {
	if statement.Digest(spec) != ref.Digest {
		return fmt.Errorf("%w: it is not the statement of that digest", statement.ErrMalformed)
	}
	expected := false
	for _, r := range references(plan) {
		expected = expected || (r.ref == ref && r.key == statement.KeyOf(spec))
	}
	if !expected {
		return fmt.Errorf("%w: %w", statement.ErrMalformed, errNotReferred)
	}
	pins, err := s.Pins(ctx)
	if err != nil {
		return err
	}
	return statement.Verify(spec, pins[ref.Member], ref.Member, plan.Spec.Consortium, s.verifyAt(spec), statement.Content)
}

// verifyAt is when a statement's signer has to have been valid: now, and with a first block when its certificate ended, for a
// block is signed once, and its content is checked against the other Members' holdings.
func (s *Store) verifyAt(spec *v1alpha1.StatementSpec) (at time.Time) {
	at = s.Now()
	if spec.Kind != v1alpha1.StatementGenesis {
		return at
	}
	if expires, err := statement.Expiry(spec); err == nil && at.After(expires) {
		return expires
	}
	return at
}

func (s *Store) reject(consortium, member string, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rejected[consortium] == nil {
		s.rejected[consortium] = map[string]string{}
	}
	s.rejected[consortium][member] = why.Error()
}
