package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// label is the domain separator of a signature, and names the format.
const label = "hanse-statement-v1\n"

// Key is what a statement replaces the earlier ones of: a Member has one valid statement of each kind and subject.
type Key struct {
	Member  string
	Kind    v1alpha1.StatementKind
	Subject string
}

// KeyOf is the Key of a statement.
func KeyOf(s *v1alpha1.StatementSpec) Key {
	return Key{Member: s.Member, Kind: s.Kind, Subject: s.Subject}
}

// encode is the canonical encoding of what is signed: the label, then each field with its length in four bytes, big-endian,
// and the sequence in eight. Two different statements never have the same encoding.
func encode(s *v1alpha1.StatementSpec) []byte {
	var out bytes.Buffer
	out.Grow(len(label) + 64 + len(s.Payload))
	out.WriteString(label)
	for _, field := range [][]byte{[]byte(s.Consortium), []byte(s.Kind), []byte(s.Subject), []byte(s.Member),
		binary.BigEndian.AppendUint64(nil, uint64(s.Sequence)), s.Payload} {
		_ = binary.Write(&out, binary.BigEndian, uint32(len(field)))
		out.Write(field)
	}
	return out.Bytes()
}

func sum(s *v1alpha1.StatementSpec) [sha256.Size]byte { return sha256.Sum256(encode(s)) }

// Digest is the hex SHA-256 of a statement's canonical encoding, by which others refer to it. The certificates and the
// signature are not included: a signature can be rewritten into another valid one by anybody.
func Digest(s *v1alpha1.StatementSpec) string {
	digest := sum(s)
	return hex.EncodeToString(digest[:])
}

// Ref refers to a statement.
func Ref(s *v1alpha1.StatementSpec) v1alpha1.StatementRef {
	return v1alpha1.StatementRef{Member: s.Member, Digest: Digest(s)}
}

// Equal is whether two statements are the same, signature and all.
func Equal(a, b *v1alpha1.StatementSpec) bool {
	return a.Consortium == b.Consortium && KeyOf(a) == KeyOf(b) && a.Sequence == b.Sequence && a.Certificates == b.Certificates &&
		bytes.Equal(a.Payload, b.Payload) && bytes.Equal(a.Signature, b.Signature)
}

func checkSize(s *v1alpha1.StatementSpec) error {
	n := len(s.Consortium) + len(s.Kind) + len(s.Subject) + len(s.Member) + len(s.Payload) + len(s.Certificates) + len(s.Signature)
	if n > v1alpha1.MaxStatementBytes {
		return fmt.Errorf("%w: %d bytes where %d are the most", ErrTooLarge, n, v1alpha1.MaxStatementBytes)
	}
	return nil
}
