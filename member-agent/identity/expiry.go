package identity

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Expiry is when each of the certificates ends that Hanse keeps in a namespace, by the names of their Secrets. What holds
// none, or none that can be read, is left out.
func Expiry(ctx context.Context, secrets client.Reader, namespace string) (map[string]time.Time, error) {
	var list corev1.SecretList
	managed := client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	if err := secrets.List(ctx, &list, client.InNamespace(namespace), managed); err != nil {
		return nil, err
	}
	ends := map[string]time.Time{}
	for i := range list.Items {
		block, _ := pem.Decode(list.Items[i].Data[corev1.TLSCertKey])
		if block == nil {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			ends[list.Items[i].Name] = certificate.NotAfter
		}
	}
	return ends, nil
}
