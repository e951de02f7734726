package governance

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"

	"github.com/hanse-io/hanse/statement"
)

// Fingerprints are the hex SHA-256 of the DER of root certificates, sorted, as Member.Roots has them.
func Fingerprints(rootPEM string) ([]string, error) {
	roots, err := statement.ParseRoot(rootPEM)
	if err != nil {
		return nil, err
	}
	var sums []string
	for _, root := range roots {
		sums = append(sums, fingerprint(root))
	}
	slices.Sort(sums)
	return slices.Compact(sums), nil
}

func fingerprint(root *x509.Certificate) string {
	sum := sha256.Sum256(root.Raw)
	return hex.EncodeToString(sum[:])
}

func encodePEM(root *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
}
