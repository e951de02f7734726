package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// ErrCertManagerMissing says that the cluster has no cert-manager.
var ErrCertManagerMissing = errors.New("this cluster does not serve cert-manager's API: install cert-manager (helm install cert-manager oci://quay.io/jetstack/charts/cert-manager --namespace cert-manager --create-namespace --set crds.enabled=true); the agent continues by itself once it is installed")

// AddToScheme adds the kinds that this package writes.
func AddToScheme(scheme *runtime.Scheme) error { return certmanager.AddToScheme(scheme) }

// Applier writes desired objects.
type Applier interface {
	Apply(ctx context.Context, obj client.Object) error
}

// Phase applies Certificates and reads the issued ones.
type Phase struct {
	Options Options
	Applier Applier
	// Certificates reads cert-manager's objects in the agent's own namespace, to say why one is not issued.
	Certificates client.Reader
	// Keys keeps the bare keys that are made here.
	Keys Creator
	Now  func() time.Time

	reason reasonCache
	// crdMissing is what Organization has found last: a request to an API that is not served costs several requests of API
	// discovery, and need not be done for every plan.
	crdMissing atomic.Bool
}

// Credentials is an issued certificate chain with its key and its authority, or a bare key with its public part, in PEM.
type Credentials struct {
	Certificate, Key, Authority []byte
	// Public part of a bare key; empty for a certificate.
	Public []byte
}

// Issued is the state of a plan's certificates.
type Issued struct {
	// Waiting says what has not been issued and why; empty when everything has.
	Waiting string
	// Roots of each authority in PEM.
	Roots map[ledger.Authority][]string
	// Published is the certificate of each node that the others know it by.
	Published map[string]string
	// PublicKeys are the public parts of the nodes' bare keys that the others know them by.
	PublicKeys map[string]string
	// IdentityKeys are the public parts of the bare keys that the organization itself is known by.
	IdentityKeys []string
	// Digests of the Secrets' content by name.
	Digests map[string]string
}

// Organization applies the organization's own certificates, and returns its root and the agent's identity. Certificates
// that were issued before are returned without cert-manager too.
func (p *Phase) Organization(ctx context.Context, secrets client.Reader) (root string, agent Credentials, err error) {
	applied := p.applyAll(ctx, Organization(p.Options))
	p.crdMissing.Store(errors.Is(applied, ErrCertManagerMissing))
	for _, name := range []string{AgentSecret, GatewaySecret} {
		pair, err := Read(ctx, secrets, p.Options.Namespace, name)
		if err != nil {
			return "", Credentials{}, err
		}
		if pair == nil && applied != nil {
			return "", Credentials{}, applied
		}
		if pair == nil {
			return "", Credentials{}, p.notIssued(ctx, p.Options.Namespace, []string{RootSecret, name})
		}
		if name == AgentSecret {
			agent = *pair
		}
	}
	return strings.TrimSpace(string(agent.Authority)) + "\n", agent, nil
}

// NotIssued is the error of a certificate that has not been issued yet.
type NotIssued struct{ What string }

func (w NotIssued) Error() string { return w.What }

func (p *Phase) notIssued(ctx context.Context, namespace string, names []string) error {
	return NotIssued{explain(names, p.reason.get(p.Now(), func() string { return notReady(ctx, p.Certificates, namespace, names) }))}
}

// Consortium applies the certificates of one plan: the authorities, and what each of them issues once it is ready. cached has
// the Secrets and Certificates of the plan's namespace.
func (p *Phase) Consortium(ctx context.Context, cached client.Reader, plan *v1alpha1.MemberPlan, identities []ledger.Identity) (Issued, error) {
	issued := Issued{
		Roots:     map[ledger.Authority][]string{},
		Published: map[string]string{}, PublicKeys: map[string]string{},
		Digests: map[string]string{},
	}
	// Issued certificates are read in spite of errors: running nodes are healed without cert-manager too.
	applied := p.applyIfServed(ctx, Authorities(plan))
	var missing []string
	for _, a := range authorities {
		pair, err := Read(ctx, cached, plan.Spec.Namespace, AuthorityName(a))
		if err != nil {
			return issued, err
		}
		if pair == nil {
			missing = append(missing, AuthorityName(a))
			continue
		}
		issued.Roots[a] = []string{string(pair.Certificate)}
		if !errors.Is(applied, ErrCertManagerMissing) {
			applied = errors.Join(applied, p.applyIfServed(ctx, Certificates(plan, a, identities)))
		}
	}
	applied = errors.Join(applied, p.makeKeys(ctx, cached, plan, identities))
	waits, err := issued.read(ctx, cached, plan.Spec.Namespace, identities)
	if err != nil {
		return issued, err
	}
	switch missing = append(missing, waits...); {
	case len(missing) == 0:
	case applied == nil:
		issued.Waiting = explain(missing, notReady(ctx, cached, plan.Spec.Namespace, missing))
	default:
		// The error has the cause. The member's record has to wait too: without a node's certificate it would be incomplete.
		issued.Waiting = "certificates have not been issued: " + strings.Join(missing, ", ")
	}
	return issued, applied
}

// read reads the issued identities, and returns those that are missing.
func (i *Issued) read(ctx context.Context, secrets client.Reader, namespace string, identities []ledger.Identity) (missing []string, err error) {
	for _, id := range identities {
		pair, err := Read(ctx, secrets, namespace, id.Name)
		if err != nil {
			return nil, err
		}
		if pair == nil {
			if !id.Optional {
				missing = append(missing, id.Name)
			}
			continue
		}
		i.Digests[id.Name] = digest(pair)
		switch {
		case id.Publish && id.IsCertificate():
			i.Published[id.Node] = string(pair.Certificate)
		case id.Publish && id.Node == "":
			i.IdentityKeys = append(i.IdentityKeys, string(pair.Public))
		case id.Publish:
			i.PublicKeys[id.Node] = string(pair.Public)
		}
	}
	return missing, nil
}

// applyIfServed applies unless cert-manager's API was found missing.
func (p *Phase) applyIfServed(ctx context.Context, objects []client.Object) error {
	if p.crdMissing.Load() {
		return ErrCertManagerMissing
	}
	return p.applyAll(ctx, objects)
}

// applyAll applies all of the objects: one that is rejected blocks no other.
func (p *Phase) applyAll(ctx context.Context, objects []client.Object) error {
	var failed []error
	for _, obj := range objects {
		if err := p.Applier.Apply(ctx, obj); err != nil {
			if meta.IsNoMatchError(err) || isCRDMissing(err) {
				return ErrCertManagerMissing
			}
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// isCRDMissing distinguishes a kind that the API server does not serve from a missing namespace: an apply creates the
// object itself.
func isCRDMissing(err error) bool {
	return apierrors.IsNotFound(err) && !strings.Contains(err.Error(), "namespaces ")
}

// explain says which certificates are missing, and why.
func explain(names []string, reason string) string {
	slices.Sort(names)
	text := fmt.Sprintf("cert-manager has not yet issued %s", strings.Join(names[:min(len(names), 3)], ", "))
	if len(names) > 3 {
		text += fmt.Sprintf(" and %d more", len(names)-3)
	}
	return text + ": " + reason
}

// notReady is cert-manager's message of the first of the certificates that has one.
func notReady(ctx context.Context, certificates client.Reader, namespace string, names []string) string {
	var certs certmanager.CertificateList
	managed := client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	if err := certificates.List(ctx, &certs, client.InNamespace(namespace), managed); err == nil {
		for i := range certs.Items {
			cert := &certs.Items[i]
			if reason := notReadyReason(cert); reason != "" && slices.Contains(names, cert.Name) {
				return reason
			}
		}
	}
	return "if this lasts, check that cert-manager's controller runs"
}

// notReadyReason is cert-manager's message of a certificate that is not ready.
func notReadyReason(cert *certmanager.Certificate) string {
	for _, c := range cert.Status.Conditions {
		if c.Type == certmanager.CertificateConditionReady && c.Status != cmmeta.ConditionTrue && c.Message != "" {
			return fmt.Sprintf("%s: %s", cert.Name, c.Message)
		}
	}
	return ""
}

// Read reads an issued identity; nil when it has not been issued yet.
func Read(ctx context.Context, secrets client.Reader, namespace, name string) (*Credentials, error) {
	var secret corev1.Secret
	err := secrets.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	pair := Credentials{
		Certificate: secret.Data[corev1.TLSCertKey],
		Key:         secret.Data[corev1.TLSPrivateKeyKey],
		Authority:   secret.Data[cmmeta.TLSCAKey],
		Public:      secret.Data[PublicKey],
	}
	if len(pair.Public) > 0 && len(pair.Key) > 0 {
		return &pair, nil
	}
	if len(pair.Certificate) == 0 || len(pair.Key) == 0 || len(pair.Authority) == 0 {
		return nil, nil
	}
	return &pair, nil
}

// digest changes whenever the certificate or its authority does. The key is left out: an annotation must not have a hash
// of it, and a new key has a new certificate.
func digest(pair *Credentials) string {
	h := sha256.New()
	h.Write(pair.Certificate)
	h.Write([]byte{0})
	h.Write(pair.Authority)
	h.Write(pair.Public)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
