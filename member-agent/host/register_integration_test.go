//go:build integration

package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

const system = "hanse-system"

// office is a host's API server with somebody who decides on requests.
type office struct {
	client.Client
	config *rest.Config
	key    *ecdsa.PrivateKey
	root   *x509.Certificate
}

func openOffice(t *testing.T) *office {
	t.Helper()
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	if err != nil {
		t.Fatalf("start an API server: %v", err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	s := clientgoscheme.Scheme
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Client: c, config: config}
	o.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o.root = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "signer"}, IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	o.make(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}})
	o.make(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "invite"}})
	o.make(t, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "request"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"certificates.k8s.io"}, Resources: []string{"certificatesigningrequests"}, Verbs: []string{"create", "get"}}},
	})
	o.make(t, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "request"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "request"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: "invite"}},
	})
	o.inForce(t, "system:serviceaccount:"+system+":invite")
	return o
}

// inForce waits until the API server's authorizer, which watches bindings as everybody does, has seen the one above.
func (o *office) inForce(t *testing.T, user string) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Group: "certificates.k8s.io", Resource: "certificatesigningrequests", Verb: "create"},
		}}
		if err := o.Create(context.Background(), review); err != nil {
			t.Fatal(err)
		}
		if review.Status.Allowed {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s may not make requests: %s", user, review.Status.Reason)
		}
		pause(context.Background(), 20*time.Millisecond)
	}
}

func (o *office) make(t *testing.T, obj client.Object) {
	t.Helper()
	if err := o.Create(context.Background(), obj); err != nil {
		t.Fatalf("create %T: %v", obj, err)
	}
}

// invite is a new invitation, stored where the agent looks for it.
func (o *office) invite(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	request := &authenticationv1.TokenRequest{}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "invite"}}
	if err := o.SubResource("token").Create(ctx, account, request); err != nil {
		t.Fatalf("make a token: %v", err)
	}
	o.bootstrap(t, request.Status.Token)
}

func (o *office) bootstrap(t *testing.T, token string) {
	t.Helper()
	ctx := context.Background()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: BootstrapSecret}}
	_ = o.Delete(ctx, secret)
	o.make(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: BootstrapSecret},
		Data:       map[string][]byte{keyServer: []byte(o.config.Host), keyAuthority: o.config.CAData, keyToken: []byte(token)},
	})
}

// decide answers the next requests, until the test ends: deny with a reason, or sign for a lifetime.
func (o *office) decide(t *testing.T, deny string, lifetime time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for pause(ctx, 20*time.Millisecond) {
			var all certificatesv1.CertificateSigningRequestList
			if o.List(ctx, &all) != nil {
				continue
			}
			for i := range all.Items {
				// The test may end as soon as it sees an answer: it is brought to its end all the same.
				o.answer(context.WithoutCancel(ctx), t, &all.Items[i], deny, lifetime)
			}
		}
	}()
}

func (o *office) answer(ctx context.Context, t *testing.T, csr *certificatesv1.CertificateSigningRequest, deny string, lifetime time.Duration) {
	if len(csr.Status.Conditions) > 0 {
		return
	}
	verdict := certificatesv1.CertificateSigningRequestCondition{Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "Test"}
	if deny != "" {
		verdict.Type, verdict.Message = certificatesv1.CertificateDenied, deny
	}
	csr.Status.Conditions = append(csr.Status.Conditions, verdict)
	if err := o.SubResource("approval").Update(ctx, csr); err != nil {
		t.Errorf("decide: %v", err)
		return
	}
	if deny != "" {
		return
	}
	block, _ := pem.Decode(csr.Spec.Request)
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Errorf("read the request: %v", err)
		return
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: request.Subject,
		NotBefore: time.Now().Add(-time.Second), NotAfter: time.Now().Add(lifetime),
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, o.root, request.PublicKey, o.key)
	if err != nil {
		t.Errorf("sign: %v", err)
		return
	}
	csr.Status.Certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := o.Status().Update(ctx, csr); err != nil {
		t.Errorf("issue: %v", err)
	}
}

func (o *office) link() *Link {
	return New(Options{
		Member: "org1", Namespace: system, Own: o.Client, CredentialLifetime: time.Hour, Log: logr.Discard(), Now: time.Now,
	})
}

// From the invitation to a credential, its reuse, its renewal, and a new invitation after it.
func TestRegister(t *testing.T) {
	o := openOffice(t)
	ctx := context.Background()
	if _, err := o.link().credential(ctx); !errors.Is(err, errNoInvitation) {
		t.Fatalf("without an invitation: %v", err)
	}
	o.invite(t)
	o.decide(t, "", time.Hour)
	first, err := o.link().credential(ctx)
	if err != nil {
		t.Fatalf("register: %v", err)
	}
	leaf := first.leaf()
	if leaf.Subject.CommonName != "hanse:member:org1" || leaf.Subject.Organization[0] != "hanse:members" {
		t.Errorf("the credential is for %s", leaf.Subject)
	}
	second, err := o.link().credential(ctx)
	if err != nil || !second.key.Equal(first.key) || string(second.certificate) != string(first.certificate) {
		t.Errorf("after a restart the agent does not use what it was given: %v", err)
	}
	renewed := *first
	if err := o.link().registrar.request(ctx, invitationOf(t, o).config(), &renewed, "-renewal"); err != nil {
		t.Fatalf("renew: %v", err)
	}
	if string(renewed.certificate) == string(first.certificate) || !renewed.matches(renewed.certificate) {
		t.Error("a renewal is a new certificate for the same key")
	}
	o.invite(t)
	third, err := o.link().credential(ctx)
	if err != nil || third.key.Equal(first.key) {
		t.Errorf("a new invitation gets a new key, so that the host can tell the agents apart: %v", err)
	}
}

func invitationOf(t *testing.T, o *office) invitation {
	t.Helper()
	i, err := o.link().store.invitation(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// An agent that is not let in says what helps.
func TestRefused(t *testing.T) {
	o := openOffice(t)
	ctx := context.Background()
	var refused errRefused
	o.bootstrap(t, "no token of this host")
	if _, err := o.link().credential(ctx); !errors.As(err, &refused) || !strings.Contains(err.Error(), "kubectl hanse invite org1") {
		t.Errorf("with a token that is not good: %v", err)
	}
	o.invite(t)
	o.decide(t, "somebody else was first", time.Hour)
	if _, err := o.link().credential(ctx); !errors.As(err, &refused) || !strings.Contains(err.Error(), "somebody else was first") {
		t.Errorf("with a request that is denied: %v", err)
	}
}
