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
	"github.com/hanse-io/hanse/member-agent/apply"
)

const (
	// decisionWait is how long one try waits for the host's decision.
	decisionWait = 10 * time.Minute
	// useWait is how long a new credential may take until it opens what it should.
	useWait = 2 * time.Minute
	// besideWait is how long a new invitation is tried while there is a credential that works, and besideAgain when it is
	// tried again after it was refused.
	besideWait  = time.Minute
	besideAgain = 10 * time.Minute
)

// errRefused says that the host does not let this agent in, and what helps.
type errRefused struct{ member, why string }

func (e errRefused) Error() string {
	return fmt.Sprintf("the invitation for %s has been used or has run out: run `kubectl hanse invite %s` on the host again (%s)", e.member, e.member, e.why)
}

// registrar gets the agent a certificate for its key.
type registrar struct {
	member   string
	lifetime time.Duration
	now      func() time.Time
	// useWait is how long a new credential may take until it opens what it should.
	useWait time.Duration
	connect func(*rest.Config) (client.Client, error)
}

// register asks for the first certificate, with the invitation. asking is called with each request before it is sent.
func (r registrar) register(ctx context.Context, i invitation, c *credential, asking func(hash string) error) error {
	return r.request(ctx, i.config(), c, asking)
}

// renew asks for a new certificate for the same key, with the credential itself.
func (r registrar) renew(ctx context.Context, c *credential, asking func(hash string) error) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	return r.request(ctx, config, c, asking)
}

func (r registrar) request(ctx context.Context, config *rest.Config, c *credential, asking func(hash string) error) error {
	host, err := r.connect(config)
	if err != nil {
		return err
	}
	csr, err := signingRequest(r.member, c, r.lifetime)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(csr.Spec.Request)
	if err := asking(hex.EncodeToString(sum[:])); err != nil {
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
	certificate, err := r.await(ctx, host, csr.Name)
	if err != nil {
		return err
	}
	if !c.matches(certificate) {
		return errRefused{r.member, "the request " + csr.Name + " on the host belongs to another key"}
	}
	c.certificate = certificate
	// The answer is here; what is left on the host is nobody's business any more, and goes by itself if it has to.
	_ = host.Delete(ctx, csr)
	return nil
}

// use shows that the host takes a credential. It may take a moment until what a new one opens is in force.
func (r registrar) use(ctx context.Context, c *credential) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	host, err := r.connect(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.useWait)
	defer cancel()
	for delay := 50 * time.Millisecond; ; delay = min(delay*3/2, 5*time.Second) {
		err := host.Get(ctx, client.ObjectKey{Name: r.member}, &v1alpha1.Member{})
		if err == nil {
			return nil
		}
		if !pause(ctx, delay) {
			return fmt.Errorf("the host has issued a credential for %s and does not take it: see that its API server trusts the signer of client certificates, and that its federation controller runs: %w", r.member, err)
		}
	}
}

// await waits for the host's decision, asking less and less often.
func (r registrar) await(ctx context.Context, host client.Client, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, decisionWait)
	defer cancel()
	for delay := 100 * time.Millisecond; ; delay = min(delay*3/2, 10*time.Second) {
		var csr certificatesv1.CertificateSigningRequest
		if err := host.Get(ctx, client.ObjectKey{Name: name}, &csr); lasting(err) {
			return nil, r.explain(err)
		} else if err == nil {
			certificate, err := decided(&csr)
			if err != nil {
				return nil, errRefused{r.member, err.Error()}
			}
			if certificate != nil {
				return certificate, nil
			}
		}
		if !pause(ctx, delay) {
			return nil, fmt.Errorf("the host has not decided on CertificateSigningRequest %s: see that its federation controller and its certificate signer run", name)
		}
	}
}

// pause waits for d, or says false when ctx has ended before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// decided is the certificate once there is one, or an error when the host has said no.
func decided(csr *certificatesv1.CertificateSigningRequest) ([]byte, error) {
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

// lasting says whether trying the same again is of no use.
func lasting(err error) bool {
	return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err)
}

func (r registrar) explain(err error) error {
	if apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return errRefused{r.member, err.Error()}
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

// credential finds the agent's access to the host: a new one if there is a new invitation, else the stored one while it
// holds. One that works is given up only once a new one has been issued and has been used.
func (l *Link) credential(ctx context.Context) (*credential, error) {
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
	case l.worthTrying(invited, h.current, works):
		c, err := l.admission(ctx, invited, h, works)
		if err == nil || !works {
			return c, err
		}
		l.tried[invited.hash()] = l.options.Now()
		l.log.Error(err, "the new invitation brings no credential; the agent goes on with the one that it has")
		l.event(corev1.EventTypeWarning, "Refused", "the new invitation brings no credential, and the agent goes on with the one that it has: "+err.Error())
	case !works:
		return nil, errNoInvitation
	}
	l.tidy(ctx, invited, h.current)
	if invited.server != "" {
		h.current.server, h.current.authority = invited.server, invited.authority
	}
	return h.current, nil
}

// worthTrying says whether to ask for a credential with an invitation: it is new, or there is none that works.
func (l *Link) worthTrying(i invitation, current *credential, works bool) bool {
	if i.token == "" {
		return false
	}
	return !works || (current.invitation != i.hash() && l.options.Now().Sub(l.tried[i.hash()]) >= besideAgain)
}

// admission gets a credential by an invitation. Whatever it comes to is stored before the next step, so that an agent that is
// stopped in between goes on with the same key.
func (l *Link) admission(ctx context.Context, invited invitation, h held, works bool) (*credential, error) {
	if works {
		limited, cancel := context.WithTimeout(ctx, besideWait)
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
	if err := l.registrar.use(ctx, h.next); err != nil {
		return nil, err
	}
	l.event(corev1.EventTypeNormal, "Registered", "the host has admitted this agent")
	l.admitted()
	if err := l.store.save(ctx, held{current: h.next}); err != nil {
		return nil, err
	}
	l.tidy(ctx, invited, h.next)
	return h.next, nil
}

// tidy takes a token away that was used: it is worth nothing any more, and whoever installs the chart anew puts it back.
func (l *Link) tidy(ctx context.Context, invited invitation, current *credential) {
	if invited.token == "" || invited.hash() != current.invitation {
		return
	}
	if err := l.store.spend(ctx); err != nil {
		l.log.Error(err, "the invitation's token is worth nothing any more, but is still there")
	}
}
