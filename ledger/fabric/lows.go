package fabric

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// lowS returns a self-signed ECDSA certificate with its signature in the form that Fabric writes: of the two values of
// s that verify, the lower one. Peers bring certificates into that form themselves; fabric-sdk-go v1.0.0 does so for
// some and not for others, and then takes a root with a high s for two different certificates. The certificate stays
// valid and is the same for everybody who computes it. Certificates that others signed are left alone.
func lowS(certificate *x509.Certificate) (*x509.Certificate, error) {
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok || certificate.CheckSignatureFrom(certificate) != nil {
		return certificate, nil
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(certificate.Signature, &signature); err != nil {
		return nil, fmt.Errorf("the signature of %s: %w", certificate.Subject, err)
	}
	order := key.Params().N
	if signature.S.Cmp(new(big.Int).Rsh(order, 1)) <= 0 {
		return certificate, nil
	}
	signature.S.Sub(order, signature.S)
	lowered, err := asn1.Marshal(signature)
	if err != nil {
		return nil, fmt.Errorf("the signature of %s: %w", certificate.Subject, err)
	}
	var outer struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if _, err := asn1.Unmarshal(certificate.Raw, &outer); err != nil {
		return nil, fmt.Errorf("the certificate of %s: %w", certificate.Subject, err)
	}
	outer.Signature = asn1.BitString{Bytes: lowered, BitLength: 8 * len(lowered)}
	der, err := asn1.Marshal(outer)
	if err != nil {
		return nil, fmt.Errorf("the certificate of %s: %w", certificate.Subject, err)
	}
	return x509.ParseCertificate(der)
}
