package statement

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// maxPublicKeyBytes bounds one public key in PEM.
const maxPublicKeyBytes = 512

// Kinds of bare keys, as a ledger's description names them.
const (
	Ed25519   = "Ed25519"
	Secp256k1 = "Secp256k1"
)

// PublicKey is the public part of a bare key.
type PublicKey struct {
	// Kind is Ed25519 or Secp256k1.
	Kind string
	// Bytes are the 32 of an Ed25519 key, or the 33 of a compressed point.
	Bytes []byte
}

// ParsePublicKey reads a public key in PEM. A key has one text only, the one that openssl and Go write (a point of secp256k1 in
// its long form), so that two texts are two keys; and it is a point of its curve.
func ParsePublicKey(text string) (PublicKey, error) {
	var none PublicKey
	if len(text) > maxPublicKeyBytes {
		return none, fmt.Errorf("%d bytes", len(text))
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || len(block.Headers) > 0 || !bytes.Equal(pem.EncodeToMemory(block), []byte(text)) {
		return none, errors.New("not one PEM block of type PUBLIC KEY, without anything else")
	}
	if point, ok := bytes.CutPrefix(block.Bytes, ed25519Prefix); ok {
		if !onEd25519(point) {
			return none, errors.New("not a point of Ed25519")
		}
		return PublicKey{Kind: Ed25519, Bytes: point}, nil
	}
	if point, ok := bytes.CutPrefix(block.Bytes, secp256k1Prefix); ok {
		short := compressed(point)
		if short == nil {
			return none, errors.New("not a point of secp256k1")
		}
		return PublicKey{Kind: Secp256k1, Bytes: short}, nil
	}
	return none, errors.New("neither an Ed25519 key nor one of secp256k1 in the long form, in the usual encoding")
}

// Verify is whether the key has made an Ed25519 signature. Of other kinds it verifies none: their ledger's driver does.
func (k PublicKey) Verify(message, signature []byte) bool {
	return k.Kind == Ed25519 && len(k.Bytes) == ed25519.PublicKeySize && ed25519.Verify(k.Bytes, message, signature)
}

var (
	// ed25519Prefix and secp256k1Prefix are what a SubjectPublicKeyInfo (RFC 5280) in DER has before the key itself: of such a
	// key there is one encoding, and its lengths are fixed.
	ed25519Prefix   = []byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00")
	secp256k1Prefix = []byte("\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a\x03\x42\x00")

	ed25519Prime   = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	secp256k1Prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1<<32+977))
)

// onEd25519 is whether bytes are a point of the curve -x² + y² = 1 + dx²y² in its one encoding: y, and a bit of x.
func onEd25519(raw []byte) bool {
	if len(raw) != ed25519.PublicKeySize {
		return false
	}
	p, one := ed25519Prime, big.NewInt(1)
	reversed := slices.Clone(raw)
	slices.Reverse(reversed)
	negative := reversed[0]&0x80 != 0
	reversed[0] &= 0x7f
	y := new(big.Int).SetBytes(reversed)
	if y.Cmp(p) >= 0 {
		return false
	}
	d := new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p))
	y2 := new(big.Int).Mul(y, y)
	divisor := new(big.Int).Mul(d, y2)
	divisor.ModInverse(divisor.Mod(divisor.Add(divisor, one), p), p) // never 0: -1/d is no square
	x2 := y2.Mul(y2.Sub(y2, one), divisor)
	x2.Mod(x2, p)
	x := new(big.Int).ModSqrt(x2, p)
	return x != nil && (x.Sign() != 0 || !negative)
}

// compressed is a point of the curve y² = x³ + 7 in its short form, out of the long one; nil if it is none.
func compressed(raw []byte) []byte {
	if len(raw) != 65 || raw[0] != 4 {
		return nil
	}
	p := secp256k1Prime
	x, y := new(big.Int).SetBytes(raw[1:33]), new(big.Int).SetBytes(raw[33:])
	want := new(big.Int).Exp(x, big.NewInt(3), p)
	want.Mod(want.Add(want, big.NewInt(7)), p)
	if x.Cmp(p) >= 0 || y.Cmp(p) >= 0 || new(big.Int).Exp(y, big.NewInt(2), p).Cmp(want) != 0 {
		return nil
	}
	return append([]byte{2 + raw[64]&1}, raw[1:33]...)
}
