package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// PublicKey is the entry of a bare key's Secret that has the public part, beside the private one in tls.key.
const PublicKey = "tls.pub"

// Creator creates objects and never changes one that is there.
type Creator interface {
	Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error
}

// makeKeys makes the bare keys that are missing. A key is made once and never changed: the others know the organization by it.
func (p *Phase) makeKeys(ctx context.Context, secrets client.Reader, plan *v1alpha1.MemberPlan, identities []ledger.Identity) error {
	var failed []error
	for _, id := range identities {
		if id.IsCertificate() {
			continue
		}
		known, err := Read(ctx, secrets, plan.Spec.Namespace, id.Name)
		if err == nil && known == nil {
			err = p.makeKey(ctx, plan, id)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (p *Phase) makeKey(ctx context.Context, plan *v1alpha1.MemberPlan, id ledger.Identity) error {
	private, public, err := newKey(id.Kind)
	if err != nil {
		return fmt.Errorf("make the key %s: %w", id.Name, err)
	}
	labels := labelsOf(plan)
	if id.Node != "" {
		labels[v1alpha1.LabelNode] = id.Node
	}
	err = p.Keys.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: id.Name, Labels: labels},
		Data:       map[string][]byte{corev1.TLSPrivateKeyKey: private, PublicKey: public},
	})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("keep the key %s in a Secret: %w", id.Name, err)
	}
	return nil
}

// newKey makes a bare key: PEM of its PKCS8 and of its public part.
func newKey(kind ledger.IdentityKind) (private, public []byte, err error) {
	if kind != ledger.IdentityEd25519 {
		return nil, nil, fmt.Errorf("this agent makes no keys of kind %s: update it", kind)
	}
	shown, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	key, keyErr := x509.MarshalPKCS8PrivateKey(secret)
	known, knownErr := x509.MarshalPKIXPublicKey(shown)
	if err := errors.Join(keyErr, knownErr); err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: known}), nil
}
