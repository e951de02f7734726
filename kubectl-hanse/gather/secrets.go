package gather

import (
	"context"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// helmRelease is the type of Helm's own records, which hold all values of a release. They are not read at all.
const helmRelease = "helm.sh/release.v1"

// SecretDescription is all that a bundle has of a Secret.
type SecretDescription struct {
	Name    string            `json:"name"`
	Type    corev1.SecretType `json:"type"`
	Created metav1.Time       `json:"created"`
	Keys    []SecretKey       `json:"keys"`
}

// SecretKey is one key of a Secret, with the size of its value in bytes. It is not a map from one to the other, since what
// stands behind the name of a secret is taken out.
type SecretKey struct {
	Key   string `json:"key"`
	Bytes int    `json:"bytes"`
}

// secrets are the descriptions of the Secrets of a namespace, and their values, so that these can be looked for everywhere
// else.
func (g *gatherer) secrets(ctx context.Context, namespace string) ([]SecretDescription, []string, error) {
	list, err := g.cluster.Clientset.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{FieldSelector: "type!=" + helmRelease})
	if err != nil {
		return nil, nil, err
	}
	descriptions, values := describeSecrets(list.Items)
	return descriptions, values, nil
}

// describeSecrets takes Secrets apart: what may be told of them, and what must not be seen anywhere. Pure.
func describeSecrets(secrets []corev1.Secret) (descriptions []SecretDescription, values []string) {
	for _, s := range secrets {
		d := SecretDescription{Name: s.Name, Type: s.Type, Created: s.CreationTimestamp}
		for _, key := range slices.Sorted(maps.Keys(s.Data)) {
			value := s.Data[key]
			d.Keys = append(d.Keys, SecretKey{Key: key, Bytes: len(value)})
			if !isPublic(s, key, string(value)) {
				values = append(values, string(value))
			}
		}
		descriptions = append(descriptions, d)
	}
	slices.Sort(values)
	return descriptions, values
}

// notSecret are keys of the agent's Secrets whose values are told elsewhere too: the host's address, the invitation's name and
// the hashes of requests. What is requested and not verified yet has next- before its keys.
var notSecret = []string{"server", "invitation", "requests"}

// isPublic is whether a value that is in a Secret is none: certificates, and where to find something.
func isPublic(s corev1.Secret, key, value string) bool {
	switch {
	case key == corev1.ServiceAccountNamespaceKey && s.Type == corev1.SecretTypeServiceAccountToken:
		return true
	case s.Name == "hanse-bootstrap" || s.Name == "hanse-host-credential":
		if slices.Contains(notSecret, strings.TrimPrefix(key, "next-")) {
			return true
		}
	}
	return strings.HasPrefix(strings.TrimSpace(value), "-----BEGIN CERTIFICATE-----") && !strings.Contains(value, "PRIVATE KEY")
}
