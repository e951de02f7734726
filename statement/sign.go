package statement

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxSequence is the largest sequence, which every reader of JSON takes as it is. In microseconds it is the year 2255.
const maxSequence = 1<<53 - 1

// Check validates the content of a statement, its payload by its kind; its error is one of this package's.
type Check func(s *v1alpha1.StatementSpec) error

// Sign signs a statement whose fields above Certificates are set. It fails where Verify with the same check would fail, except
// that it does not know the root that the others have pinned.
func Sign(key crypto.Signer, chainPEM string, s v1alpha1.StatementSpec, check Check) (v1alpha1.StatementSpec, error) {
	var none v1alpha1.StatementSpec
	if err := checkFields(&s, s.Member, s.Consortium); err != nil {
		return none, err
	}
	if err := check(&s); err != nil {
		return none, err
	}
	chain, err := parseChain(chainPEM)
	if err != nil {
		return none, err
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || !public.Equal(chain[0].PublicKey) {
		return none, errors.New("sign a statement: the key is not that of the first certificate of the chain, or not ECDSA")
	}
	digest := sum(&s)
	if s.Signature, err = key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		return none, fmt.Errorf("sign a statement: %w", err)
	}
	s.Certificates = chainPEM
	return s, checkSize(&s)
}

// Verify verifies a Member's statement in a Consortium, and its content with the check. rootPEM is the pinned root of that
// Member. The signer's certificate has to be valid now: agents sign again when theirs is renewed.
func Verify(s *v1alpha1.StatementSpec, rootPEM, member, consortium string, now time.Time, check Check) error {
	if s == nil {
		return fmt.Errorf("%w: there is none", ErrMalformed)
	}
	if err := checkSize(s); err != nil {
		return err
	}
	if err := checkFields(s, member, consortium); err != nil {
		return err
	}
	roots, err := ParseRoot(rootPEM)
	if err != nil {
		return err
	}
	chain, err := parseChain(s.Certificates)
	if err != nil {
		return err
	}
	public, err := signer(chain, roots, s.Kind.SignerName(member), now)
	if err != nil {
		return err
	}
	digest := sum(s)
	if !ecdsa.VerifyASN1(public, digest[:], s.Signature) {
		return ErrSignature
	}
	return check(s)
}

func checkFields(s *v1alpha1.StatementSpec, member, consortium string) error {
	switch {
	case s.Member != member:
		return fmt.Errorf("%w: it names %.60q, and not %q", ErrWrongMember, s.Member, member)
	case s.Consortium != consortium:
		return fmt.Errorf("%w: it names %.60q, and not %q", ErrWrongConsortium, s.Consortium, consortium)
	case s.Sequence <= 0 || s.Sequence > maxSequence:
		return fmt.Errorf("%w: sequence %d is not one from 1 to %d", ErrMalformed, s.Sequence, int64(maxSequence))
	}
	return nil
}
