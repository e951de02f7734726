package statement

import "errors"

// Why a statement is rejected. Every error of Verify is one of these, for errors.Is.
var (
	// ErrTooLarge: the statement is larger than v1alpha1.MaxStatementBytes, or something in it is more than its share.
	ErrTooLarge = errors.New("statement too large")
	// ErrNoRoot: there is no usable pinned root to check against.
	ErrNoRoot = errors.New("no usable pinned root")
	// ErrUntrusted: the signer's certificate does not chain to the Member's pinned root.
	ErrUntrusted = errors.New("signer is not certified by the member's pinned root")
	// ErrExpired: the signer's certificate is not valid now.
	ErrExpired = errors.New("signer's certificate is not valid at this time")
	// ErrWrongSigner: the certificate is the organization's, but not one that signs statements of this kind.
	ErrWrongSigner = errors.New("the signer's certificate is not one for statements of this kind")
	// ErrSignature: the signature is not the signer's over this payload.
	ErrSignature = errors.New("signature does not match")
	// ErrWrongMember: the statement is that of another member than the signer, or claims what belongs to another.
	ErrWrongMember = errors.New("statement speaks for another member")
	// ErrWrongConsortium: the statement is about another Consortium.
	ErrWrongConsortium = errors.New("statement is about another consortium")
	// ErrMalformed: the statement or its content is malformed.
	ErrMalformed = errors.New("malformed statement")
)

// Reason is an error of Verify as one word, for metrics and logs. The number of words is bounded.
func Reason(err error) string {
	for _, r := range []struct {
		err  error
		word string
	}{
		{ErrTooLarge, "too_large"}, {ErrNoRoot, "no_root"}, {ErrUntrusted, "untrusted"}, {ErrExpired, "expired"},
		{ErrWrongSigner, "wrong_signer"}, {ErrSignature, "signature"}, {ErrWrongMember, "wrong_member"},
		{ErrWrongConsortium, "wrong_consortium"}, {ErrMalformed, "malformed"},
	} {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return "other"
}
