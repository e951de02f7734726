package host

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
)

const (
	// approvalTimeout is how long one attempt waits for the host to approve the request.
	approvalTimeout = 10 * time.Minute
	// credentialTimeout is how long a new credential may take until it is authorized.
	credentialTimeout = 2 * time.Minute
	// reinviteTimeout is how long a new invitation is tried while there is a valid credential, and reinviteInterval when it
	// is tried again after it was denied.
	reinviteTimeout  = time.Minute
	reinviteInterval = 10 * time.Minute
)

// errNotAdmitted: the host does not admit this agent.
type errNotAdmitted struct{ member, why string }

func (e errNotAdmitted) Error() string {
	return fmt.Sprintf("the invitation for %s has been used or has expired: run `kubectl hanse invite %s` on the host again (%s)", e.member, e.member, e.why)
}

// registrar requests certificates for the agent's key.
type registrar struct {
	member   string
	lifetime time.Duration
	now      func() time.Time
	// credentialTimeout is how long a new credential may take until it is authorized.
	credentialTimeout time.Duration
	connect           func(*rest.Config) (client.Client, error)
}

// register requests the first certificate with the invitation. onRequest is called with each request before it is sent.
func (r registrar) register(ctx context.Context, i invitation, c *credential, onRequest func(hash string) error) error {
	return r.request(ctx, i.config(), c, onRequest)
}

// renew requests a new certificate for the same key, with the credential itself.
func (r registrar) renew(ctx context.Context, c *credential, onRequest func(hash string) error) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	return r.request(ctx, config, c, onRequest)
}

func (r registrar) request(ctx context.Context, config *rest.Config, c *credential, onRequest func(hash string) error) error {
	host, err := r.connect(config)
	if err != nil {
		return err
	}
	csr, err := signingRequest(r.member, c, r.lifetime)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(csr.Spec.Request)
	if err := onRequest(hex.EncodeToString(sum[:])); err != nil {
		return err
	}
	// The name may be taken by an earlier request of this agent.
	if err := host.Delete(ctx, csr.DeepCopy()); client.IgnoreNotFound(err) != nil {
		return r.explain(err)
	}
	u, err := apply.Unstructured(csr, host.Scheme())
	if err != nil {
		return err
	}
	if err := host.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(ReportOwner)); err != nil {
		return r.explain(err)
	}
	certificate, err := r.awaitCertificate(ctx, host, csr.Name)
	if err != nil {
		return err
	}
	if !c.matches(certificate) {
		return errNotAdmitted{r.member, "the request " + csr.Name + " on the host belongs to another key"}
	}
	c.certificate = certificate
	// The request is no longer needed; Kubernetes deletes it too.
	_ = host.Delete(ctx, csr)
	return nil
}

// verifyCredential waits until the host authorizes a credential, which takes a moment for a new one.
func (r registrar) verifyCredential(ctx context.Context, c *credential) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	host, err := r.connect(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.credentialTimeout)
	defer cancel()
	for delay := 50 * time.Millisecond; ; delay = min(delay*3/2, 5*time.Second) {
		err := host.Get(ctx, client.ObjectKey{Name: r.member}, &v1alpha1.Member{})
		if err == nil {
			return nil
		}
		if !sleep(ctx, delay) {
			return fmt.Errorf("the host has issued a credential for %s and does not accept it: check that its API server trusts the signer of client certificates, and that its federation controller runs: %w", r.member, err)
		}
	}
}

// awaitCertificate polls for the host's decision, with increasing intervals.
func (r registrar) awaitCertificate(ctx context.Context, host client.Client, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, approvalTimeout)
	defer cancel()
	for delay := 100 * time.Millisecond; ; delay = min(delay*3/2, 10*time.Second) {
		var csr certificatesv1.CertificateSigningRequest
		if err := host.Get(ctx, client.ObjectKey{Name: name}, &csr); isPermanent(err) {
			return nil, r.explain(err)
		} else if err == nil {
			certificate, err := csrResult(&csr)
			if err != nil {
				return nil, errNotAdmitted{r.member, err.Error()}
			}
			if certificate != nil {
				return certificate, nil
			}
		}
		if !sleep(ctx, delay) {
			return nil, fmt.Errorf("the host has not decided on CertificateSigningRequest %s: see that its federation controller and its certificate signer run", name)
		}
	}
}

// sleep waits for d; false if ctx has ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// csrResult is the certificate once it is issued, or an error if the request was denied.
func csrResult(csr *certificatesv1.CertificateSigningRequest) ([]byte, error) {
	for _, c := range csr.Status.Conditions {
		if c.Type == certificatesv1.CertificateDenied || c.Type == certificatesv1.CertificateFailed {
			return nil, errors.New(c.Message)
		}
	}
	if len(csr.Status.Certificate) == 0 {
		return nil, nil
	}
	return csr.Status.Certificate, nil
}

// isPermanent says whether a retry is of no use.
func isPermanent(err error) bool {
	return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err)
}

func (r registrar) explain(err error) error {
	if apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return errNotAdmitted{r.member, err.Error()}
	}
	return err
}

// signingRequest is the request for the agent's certificate.
func signingRequest(member string, c *credential, lifetime time.Duration) (*certificatesv1.CertificateSigningRequest, error) {
	fingerprint, err := c.fingerprint()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: v1alpha1.MemberKeyUser(member, fingerprint), Organization: []string{v1alpha1.MembersGroup}},
	}, c.key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate request: %w", err)
	}
	seconds := int32(lifetime / time.Second)
	return &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{
			Name:   v1alpha1.RequestName(member, fingerprint),
			Labels: map[string]string{v1alpha1.LabelMember: member},
		},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			Request:           pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
			SignerName:        certificatesv1.KubeAPIServerClientSignerName,
			ExpirationSeconds: &seconds,
			Usages:            []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth},
		},
	}, nil
}

// loadCredential finds the agent's credential: a new one if there is a new invitation, else the stored one while it is
// valid. A valid one is replaced only after a new one has been issued and verified.
func (l *HostSession) loadCredential(ctx context.Context) (*credential, error) {
	invited, err := l.store.invitation(ctx)
	if err != nil {
		return nil, err
	}
	h, err := l.store.load(ctx)
	if err != nil {
		return nil, err
	}
	works := h.current != nil && h.current.valid(l.options.Now())
	switch {
	case l.shouldRegister(invited, h.current, works):
		c, err := l.registerWith(ctx, invited, h, works)
		if err == nil || !works {
			return c, err
		}
		l.tried[invited.hash()] = l.options.Now()
		l.log.Error(err, "registration with the new invitation failed; keeping the current credential")
		l.event(corev1.EventTypeWarning, "Refused", "registration with the new invitation failed; keeping the current credential: "+err.Error())
	case !works:
		return nil, errNoInvitation
	}
	l.removeUsedToken(ctx, invited, h.current)
	if invited.server != "" {
		h.current.server, h.current.authority = invited.server, invited.authority
	}
	return h.current, nil
}

// shouldRegister says whether to request a credential with an invitation: it is new, or there is no valid credential.
func (l *HostSession) shouldRegister(i invitation, current *credential, works bool) bool {
	if i.token == "" {
		return false
	}
	return !works || (current.invitation != i.hash() && l.options.Now().Sub(l.tried[i.hash()]) >= reinviteInterval)
}

// registerWith requests a credential with an invitation. Each step is stored before the next one, so that an agent that
// is restarted continues with the same key.
func (l *HostSession) registerWith(ctx context.Context, invited invitation, h storedCredentials, works bool) (*credential, error) {
	if works {
		limited, cancel := context.WithTimeout(ctx, reinviteTimeout)
		defer cancel()
		ctx = limited
	}
	if h.next == nil || h.next.invitation != invited.hash() {
		switch {
		case h.current != nil && h.current.invitation == invited.hash():
			h.next = &credential{key: h.current.key, invitation: h.current.invitation, requests: h.current.requests}
		default:
			next, err := newCredential(invited)
			if err != nil {
				return nil, err
			}
			h.next = next
		}
	}
	h.next.server, h.next.authority = invited.server, invited.authority
	if !h.next.valid(l.options.Now()) {
		l.log.Info("asking the host for a credential", "server", invited.server)
		err := l.registrar.register(ctx, invited, h.next, func(hash string) error {
			h.next.requests.add(hash)
			return l.store.save(ctx, h)
		})
		if err != nil {
			return nil, err
		}
		if err := l.store.save(ctx, h); err != nil {
			return nil, err
		}
	}
	if err := l.registrar.verifyCredential(ctx, h.next); err != nil {
		return nil, err
	}
	l.event(corev1.EventTypeNormal, "Registered", "the host has admitted this agent")
	l.resetWatch()
	if err := l.store.save(ctx, storedCredentials{current: h.next}); err != nil {
		return nil, err
	}
	l.removeUsedToken(ctx, invited, h.next)
	return h.next, nil
}

// removeUsedToken deletes a used token from the bootstrap Secret, which an upgrade of the chart puts back.
func (l *HostSession) removeUsedToken(ctx context.Context, invited invitation, current *credential) {
	if invited.token == "" || invited.hash() != current.invitation {
		return
	}
	if err := l.store.deleteToken(ctx); err != nil {
		l.log.Error(err, "cannot delete the used token of the invitation")
	}
}
