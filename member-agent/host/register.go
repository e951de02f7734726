package host

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// decisionWait is how long one try waits for the host's decision.
const decisionWait = 10 * time.Minute

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
	connect  func(*rest.Config) (client.Client, error)
}

// register asks for the first certificate, with the invitation.
func (r registrar) register(ctx context.Context, i invitation, c *credential) error {
	return r.request(ctx, i.config(), c, "")
}

// renew asks for a new certificate for the same key, with the credential itself.
func (r registrar) renew(ctx context.Context, c *credential) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	return r.request(ctx, config, c, "-"+strconv.FormatInt(r.now().Unix(), 36))
}

func (r registrar) request(ctx context.Context, config *rest.Config, c *credential, suffix string) error {
	host, err := r.connect(config)
	if err != nil {
		return err
	}
	csr, err := signingRequest(r.member, c, r.lifetime, suffix)
	if err != nil {
		return err
	}
	if err := host.Create(ctx, csr); err != nil && !apierrors.IsAlreadyExists(err) {
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
	return nil
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
func signingRequest(member string, c *credential, lifetime time.Duration, suffix string) (*certificatesv1.CertificateSigningRequest, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: v1alpha1.MemberUser(member), Organization: []string{v1alpha1.MembersGroup}},
	}, c.key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate request: %w", err)
	}
	fingerprint, err := c.fingerprint()
	if err != nil {
		return nil, err
	}
	seconds := int32(lifetime / time.Second)
	return &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{
			Name:   v1alpha1.RequestPrefix + member + "-" + fingerprint[:16] + suffix,
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

// credential finds the agent's access to the host: the stored one while it holds, else a new one for the invitation.
func (l *Link) credential(ctx context.Context) (*credential, error) {
	invited, err := l.store.invitation(ctx)
	if err != nil {
		return nil, err
	}
	c, err := l.store.credential(ctx)
	if err != nil {
		return nil, err
	}
	fresh := c == nil || (invited.hash() != "" && c.invitation != invited.hash())
	if !fresh && c.valid(l.options.Now()) {
		if invited.server != "" {
			c.server, c.authority = invited.server, invited.authority
		}
		return c, nil
	}
	if invited.token == "" {
		return nil, errNoInvitation
	}
	if fresh {
		// The key is stored before it is used, so that an agent that is stopped in between asks again with the same key.
		if c, err = newCredential(invited); err != nil {
			return nil, err
		}
		if err := l.store.save(ctx, c); err != nil {
			return nil, err
		}
	}
	l.log.Info("asking the host for a credential", "server", invited.server)
	if err := l.registrar.register(ctx, invited, c); err != nil {
		return nil, err
	}
	l.event(corev1.EventTypeNormal, "Registered", "the host has admitted this agent")
	return c, l.store.save(ctx, c)
}
