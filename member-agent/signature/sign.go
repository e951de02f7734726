package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// label is the domain separator of a record's signature, and names the format.
const label = "hanse-record-v1\n"

// Sign puts a record into an envelope. It fails where Verify would fail, except that it does not know the root that the
// others have pinned.
func Sign(key crypto.Signer, chainPEM string, record v1alpha1.Record) (v1alpha1.SignedRecord, error) {
	var none v1alpha1.SignedRecord
	if err := check(&record, record.Member, record.Consortium); err != nil {
		return none, err
	}
	chain, err := parseChain(chainPEM)
	if err != nil {
		return none, err
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || !public.Equal(chain[0].PublicKey) {
		return none, errors.New("sign a record: the key is not that of the first certificate of the chain, or not ECDSA")
	}
	payload, err := json.Marshal(record)
	if err != nil {
		return none, err
	}
	sum := digest(payload)
	sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return none, fmt.Errorf("sign a record: %w", err)
	}
	env := v1alpha1.SignedRecord{Payload: payload, Certificates: chainPEM, Signature: sig}
	return env, checkSize(&env)
}

// Verify verifies a Member's record in a Consortium and returns it. rootPEM is the pinned root of that Member. Unknown
// fields are ignored, so that a newer agent can talk to an older one. The signer's certificate has to be valid now:
// agents sign again when theirs is renewed.
func Verify(env *v1alpha1.SignedRecord, rootPEM string, member, consortium string, now time.Time) (v1alpha1.Record, error) {
	var none v1alpha1.Record
	if env == nil {
		return none, fmt.Errorf("%w: there is none", ErrMalformed)
	}
	if err := checkSize(env); err != nil {
		return none, err
	}
	roots, err := ParseRoot(rootPEM)
	if err != nil {
		return none, err
	}
	chain, err := parseChain(env.Certificates)
	if err != nil {
		return none, err
	}
	public, err := signer(chain, roots, member, now)
	if err != nil {
		return none, err
	}
	sum := digest(env.Payload)
	if !ecdsa.VerifyASN1(public, sum[:], env.Signature) {
		return none, ErrSignature
	}
	var record v1alpha1.Record
	if err := json.Unmarshal(env.Payload, &record); err != nil {
		return none, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := check(&record, member, consortium); err != nil {
		return none, err
	}
	return record, nil
}

func checkSize(env *v1alpha1.SignedRecord) error {
	if n := len(env.Payload) + len(env.Certificates) + len(env.Signature); n > v1alpha1.MaxRecordBytes {
		return fmt.Errorf("%w: %d bytes where %d are the most", ErrTooLarge, n, v1alpha1.MaxRecordBytes)
	}
	return nil
}

func digest(payload []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(label))
	h.Write(payload)
	return [sha256.Size]byte(h.Sum(nil))
}
