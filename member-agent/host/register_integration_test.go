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
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
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
	"sigs.k8s.io/controller-runtime/pkg/cache"
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
	signer *signer
	// deny is why requests are denied; empty to grant them.
	deny atomic.Value
	// stranger is set to have certificates signed by a CA that the API server does not trust.
	stranger atomic.Bool
}

// signer is the CA of client certificates, which the API server trusts.
type signer struct {
	dir  string
	key  *ecdsa.PrivateKey
	root *x509.Certificate
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{dir: t.TempDir(), key: key, root: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "signer"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}}
	der, err := x509.CreateCertificate(rand.Reader, s.root, s.root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *signer) file() string { return filepath.Join(s.dir, "ca.crt") }

func (s *signer) sign(subject pkix.Name, key any, lifetime time.Duration) ([]byte, error) {
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: subject,
		NotBefore: time.Now().Add(-time.Second), NotAfter: time.Now().Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, s.root, key, s.key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

// Configure, Start, AddUser and Stop are what envtest asks of a way to authenticate.
func (s *signer) Configure(_ string, args *envtest.Arguments) error {
	args.Set("client-ca-file", s.file())
	return nil
}
func (s *signer) Start() error { return nil }
func (s *signer) Stop() error  { return nil }
func (s *signer) AddUser(user envtest.User, base *rest.Config) (*rest.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	c := rest.CopyConfig(base)
	c.KeyData = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	c.CertData, err = s.sign(pkix.Name{CommonName: user.Name, Organization: user.Groups}, key.Public(), time.Hour)
	return c, err
}

func openOffice(t *testing.T) *office {
	t.Helper()
	trusted := newSigner(t)
	env, config, err := testcluster.Start(func() *envtest.Environment {
		env := &envtest.Environment{CRDDirectoryPaths: []string{"../../charts/federation/crds"}, ErrorIfCRDPathMissing: true}
		env.ControlPlane.GetAPIServer().SecureServing.Authn = trusted
		return env
	})
	if err != nil {
		t.Fatalf("start an API server: %v", err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	s := clientgoscheme.Scheme
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Client: c, config: config, signer: trusted}
	o.deny.Store("")
	o.make(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}})
	o.make(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "invite"}})
	o.make(t, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}})
	o.make(t, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "request"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"certificates.k8s.io"}, Resources: []string{"certificatesigningrequests"}, Verbs: []string{"get", "create", "patch", "delete"}, ResourceNames: v1alpha1.RequestNames("org1")},
			{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"members", "members/status", "memberplans"}, Verbs: []string{"get", "list", "watch", "patch"}},
		},
	})
	o.make(t, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "request"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "request"},
		Subjects: []rbacv1.Subject{
			{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: "invite"},
			{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: v1alpha1.MembersGroup},
		},
	})
	o.inForce(t, "system:serviceaccount:"+system+":invite")
	o.decide(t)
	return o
}

// inForce waits until the API server's authorizer, which watches bindings as everybody does, has seen the one above.
func (o *office) inForce(t *testing.T, user string) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Group: "certificates.k8s.io", Resource: "certificatesigningrequests", Verb: "create", Name: v1alpha1.RequestNames("org1")[0]},
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

// decide answers requests, until the test ends.
func (o *office) decide(t *testing.T) {
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
				o.answer(context.WithoutCancel(ctx), t, &all.Items[i])
			}
		}
	}()
}

func (o *office) answer(ctx context.Context, t *testing.T, csr *certificatesv1.CertificateSigningRequest) {
	if len(csr.Status.Conditions) > 0 {
		return
	}
	deny, _ := o.deny.Load().(string)
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
	by := o.signer
	if o.stranger.Load() {
		by = newSigner(t)
	}
	if csr.Status.Certificate, err = by.sign(request.Subject, request.PublicKey, time.Hour); err != nil {
		t.Errorf("sign: %v", err)
		return
	}
	if err := o.Status().Update(ctx, csr); err != nil {
		t.Errorf("issue: %v", err)
	}
}

func (o *office) link() *Link {
	l := New(Options{
		Member: "org1", Namespace: system, Own: o.Client, CredentialLifetime: time.Hour, Log: logr.Discard(), Now: time.Now,
		LeaseDuration: time.Minute, LeaseInterval: time.Minute,
	})
	l.registrar.useWait = 3 * time.Second
	return l
}

func (o *office) secret(t *testing.T, name string) map[string][]byte {
	t.Helper()
	var s corev1.Secret
	if err := o.Get(context.Background(), client.ObjectKey{Namespace: system, Name: name}, &s); err != nil {
		t.Fatal(err)
	}
	return s.Data
}

// From the invitation to a credential, its reuse, its renewal, and a new invitation after it.
func TestRegister(t *testing.T) {
	o := openOffice(t)
	ctx := context.Background()
	if _, err := o.link().credential(ctx); !errors.Is(err, errNoInvitation) {
		t.Fatalf("without an invitation: %v", err)
	}
	o.invite(t)
	token := string(o.secret(t, BootstrapSecret)[keyToken])
	first, err := o.link().credential(ctx)
	if err != nil {
		t.Fatalf("register: %v", err)
	}
	fingerprint, err := first.fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	leaf := first.leaf()
	if leaf.Subject.CommonName != v1alpha1.MemberKeyUser("org1", fingerprint) || leaf.Subject.Organization[0] != "hanse:members" {
		t.Errorf("the credential is for %s", leaf.Subject)
	}
	if _, still := o.secret(t, BootstrapSecret)[keyToken]; still || len(first.requests.list()) != 1 {
		t.Errorf("the used token is still there: %v; requests: %q", still, first.requests.list())
	}
	// Whoever upgrades the chart puts it back.
	o.bootstrap(t, token)
	second, err := o.link().credential(ctx)
	if err != nil || !second.key.Equal(first.key) || string(second.certificate) != string(first.certificate) || len(second.requests.list()) != 1 {
		t.Errorf("after a restart the agent does not use what it was given: %v", err)
	}
	if _, still := o.secret(t, BootstrapSecret)[keyToken]; still {
		t.Error("a used token stays once it was put back")
	}
	l := o.link()
	conn, err := connect(first, v1alpha1.MemberNamespace("org1"), o.Scheme())
	if err != nil {
		t.Fatal(err)
	}
	l.SetFacts(Facts{Root: "root"})
	if err := l.renew(ctx, conn, first); err != nil {
		t.Fatalf("renew: %v", err)
	}
	renewed, err := l.store.load(ctx)
	if err != nil || string(renewed.current.certificate) == string(first.certificate) || !renewed.current.key.Equal(first.key) {
		t.Errorf("a renewal is a new certificate for the same key: %v", err)
	}
	var member v1alpha1.Member
	if err := o.Get(ctx, client.ObjectKey{Name: "org1"}, &member); err != nil {
		t.Fatal(err)
	}
	if a := member.Status.Agent; a.KeyFingerprint != fingerprint || !slices.Equal(a.Requests, renewed.current.requests.list()) || len(a.Requests) != 2 {
		t.Errorf("the host is told of the key %q and the requests %q", a.KeyFingerprint, a.Requests)
	}
	o.invite(t)
	third, err := o.link().credential(ctx)
	if err != nil || third.key.Equal(first.key) {
		t.Errorf("a new invitation gets a new key, so that the host can tell the agents apart: %v", err)
	}
	var left certificatesv1.CertificateSigningRequestList
	if err := o.List(ctx, &left); err != nil || len(left.Items) != 0 {
		t.Errorf("%d requests are left on the host: %v", len(left.Items), err)
	}
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
	o.deny.Store("somebody else was first")
	if _, err := o.link().credential(ctx); !errors.As(err, &refused) || !strings.Contains(err.Error(), "somebody else was first") {
		t.Errorf("with a request that is denied: %v", err)
	}
}

// A credential that works is given up for one that was issued and has been used, and for nothing less.
func TestNothingDestroysAWorkingCredential(t *testing.T) {
	o := openOffice(t)
	ctx := context.Background()
	o.invite(t)
	first, err := o.link().credential(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why     string
		prepare func()
	}{
		{"a token that is none of this host's", func() { o.bootstrap(t, "rubbish") }},
		{"an invitation that somebody else has used", func() { o.invite(t); o.deny.Store("somebody else was first") }},
		{"a credential that is issued and then not taken", func() { o.invite(t); o.deny.Store(""); o.stranger.Store(true) }},
	} {
		row.prepare()
		l := o.link()
		for range 2 {
			got, err := l.credential(ctx)
			if err != nil || !got.key.Equal(first.key) || string(got.certificate) != string(first.certificate) {
				t.Fatalf("%s: %v", row.why, err)
			}
		}
		if kept := o.secret(t, CredentialSecret); string(kept[corev1.TLSCertKey]) != string(first.certificate) {
			t.Fatalf("%s: the Secret has another certificate", row.why)
		}
		if err := l.registrar.use(ctx, first); err != nil {
			t.Errorf("%s: the old credential: %v", row.why, err)
		}
	}
	o.stranger.Store(false)
	o.invite(t)
	next, err := o.link().credential(ctx)
	if err != nil || next.key.Equal(first.key) {
		t.Fatalf("a good invitation at last: %v", err)
	}
	if kept := o.secret(t, CredentialSecret); string(kept[corev1.TLSCertKey]) != string(next.certificate) || kept[nextPrefix+corev1.TLSCertKey] != nil {
		t.Error("the Secret has not got the new credential alone")
	}
}

// Sessions with the host come and go, once a renewal and once a minute while the host rejects the credential. None leaves
// anything behind at the cache, which lives as long as the agent.
func TestSessionsLeaveNothing(t *testing.T) {
	o := openOffice(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	local, err := cache.New(o.config, cache.Options{Scheme: o.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = local.Start(ctx) }()
	o.invite(t)
	l := o.link()
	l.options.Cache, l.options.Workers = local, 2
	c, err := l.credential(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := l.observe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	session := func() {
		conn, err := connect(c, v1alpha1.MemberNamespace("org1"), o.Scheme())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.close()
		within, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- l.runMirror(within, conn) }()
		for deadline := time.Now().Add(time.Minute); !l.local.attached(); pause(ctx, 5*time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the session does not begin")
			}
		}
		end()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		session()
	}
	before := runtime.NumGoroutine()
	const sessions = 40
	for range sessions {
		session()
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+sessions/4; pause(ctx, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before %d sessions, %d after", before, sessions, runtime.NumGoroutine())
		}
	}
}

func (e *localEvents) attached() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.queue != nil
}

// Somebody who has the agent's key renews it, and its Lease. The agent says so; its own restart is no reason to.
func TestTheftIsSeenAtHome(t *testing.T) {
	o := openOffice(t)
	ctx := context.Background()
	o.make(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.MemberNamespace("org1")}})
	o.make(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace("org1"), Name: "lease"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: v1alpha1.MembersGroup}},
	})
	o.invite(t)
	l := o.link()
	c, err := l.credential(ctx)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := connect(c, v1alpha1.MemberNamespace("org1"), o.Scheme())
	if err != nil {
		t.Fatal(err)
	}
	registered := func(requests ...string) {
		fingerprint, err := c.fingerprint()
		if err != nil {
			t.Fatal(err)
		}
		m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}}
		if err := o.Get(ctx, client.ObjectKeyFromObject(m), m); err != nil {
			t.Fatal(err)
		}
		before := client.MergeFrom(m.DeepCopy())
		m.Status.Registration = &v1alpha1.MemberRegistration{KeyFingerprint: fingerprint, Requests: requests, Time: metav1.Now(), LastIssued: metav1.Now()}
		if err := o.Status().Patch(ctx, m, before); err != nil {
			t.Fatal(err)
		}
	}
	report := func(what Facts) string {
		if err := l.report(ctx, conn, what, c); err != nil {
			t.Fatal(err)
		}
		return l.CredentialShared()
	}
	registered(c.requests.list()...)
	if what := report(Facts{Root: "a"}); what != "" {
		t.Errorf("an alarm for the agent's own credential: %s", what)
	}
	registered(append(c.requests.list(), "somebody else's")...)
	if what := report(Facts{Root: "b"}); !strings.Contains(what, "--replace") {
		t.Errorf("nothing is said of a credential that the agent has not asked for: %q", what)
	}
	registered(c.requests.list()...)
	if what := report(Facts{Root: "c"}); what != "" {
		t.Fatal(what)
	}

	renew := func(l *Link) {
		var err error
		// The right to do so takes a moment to be in force.
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); pause(ctx, 20*time.Millisecond) {
			if err = l.renewLease(ctx, conn.client); err == nil {
				return
			}
		}
		t.Fatal(err)
	}
	restarted, thief := o.link(), o.link()
	for _, who := range []*Link{l, l, restarted, l, restarted, restarted} {
		renew(who)
	}
	if l.CredentialShared() != "" || restarted.CredentialShared() != "" {
		t.Error("a restart is an alarm")
	}
	for range 3 {
		renew(thief)
		renew(restarted)
	}
	if restarted.CredentialShared() == "" {
		t.Error("nothing is said of another who renews the Lease")
	}
}
