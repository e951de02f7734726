//go:build integration

package host

import (
	"context"
	"crypto/x509"
	"encoding/pem"
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
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

const system = "hanse-system"

// testHost is a host's API server with somebody who decides on requests.
type testHost struct {
	client.Client
	config *rest.Config
	signer *testcluster.Authority
	// deny is why requests are denied; empty to grant them.
	deny atomic.Value
	// outsider is set to have certificates signed by a CA that the API server does not trust.
	outsider atomic.Bool
}

func newSigner(t *testing.T) *testcluster.Authority {
	t.Helper()
	authority, err := testcluster.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func newTestHost(t *testing.T) *testHost {
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
	o := &testHost{Client: c, config: config, signer: trusted}
	o.deny.Store("")
	o.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}})
	o.create(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "invite"}})
	o.create(t, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}})
	o.create(t, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "request"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"certificates.k8s.io"}, Resources: []string{"certificatesigningrequests"}, Verbs: []string{"get", "create", "patch", "delete"}, ResourceNames: v1alpha1.RequestNames("org1")},
			{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"members", "members/status", "memberplans"}, Verbs: []string{"get", "list", "watch", "patch"}},
		},
	})
	o.create(t, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "request"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "request"},
		Subjects: []rbacv1.Subject{
			{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: "invite"},
			{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: v1alpha1.MembersGroup},
		},
	})
	o.waitForAccess(t, "system:serviceaccount:"+system+":invite")
	o.runApprover(t)
	return o
}

// waitForAccess waits until the API server's authorizer, which watches bindings as everybody does, has seen the one above.
func (o *testHost) waitForAccess(t *testing.T, user string) {
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
		sleep(context.Background(), 20*time.Millisecond)
	}
}

func (o *testHost) create(t *testing.T, obj client.Object) {
	t.Helper()
	if err := o.Create(context.Background(), obj); err != nil {
		t.Fatalf("create %T: %v", obj, err)
	}
}

// invite is a new invitation, stored where the agent looks for it.
func (o *testHost) invite(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	request := &authenticationv1.TokenRequest{}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "invite"}}
	if err := o.SubResource("token").Create(ctx, account, request); err != nil {
		t.Fatalf("make a token: %v", err)
	}
	o.bootstrap(t, request.Status.Token)
}

func (o *testHost) bootstrap(t *testing.T, token string) {
	t.Helper()
	ctx := context.Background()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: BootstrapSecret}}
	_ = o.Delete(ctx, secret)
	o.create(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: BootstrapSecret},
		Data:       map[string][]byte{keyServer: []byte(o.config.Host), keyAuthority: o.config.CAData, keyToken: []byte(token)},
	})
}

// runApprover answers requests, until the test ends.
func (o *testHost) runApprover(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for sleep(ctx, 20*time.Millisecond) {
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

func (o *testHost) answer(ctx context.Context, t *testing.T, csr *certificatesv1.CertificateSigningRequest) {
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
	if o.outsider.Load() {
		by = newSigner(t)
	}
	if csr.Status.Certificate, err = by.Sign(request.Subject, request.PublicKey, time.Hour); err != nil {
		t.Errorf("sign: %v", err)
		return
	}
	if err := o.Status().Update(ctx, csr); err != nil {
		t.Errorf("issue: %v", err)
	}
}

func (o *testHost) session() *HostSession {
	l := New(Options{
		Member: "org1", Namespace: system, Own: o.Client, CredentialLifetime: time.Hour, Log: logr.Discard(), Now: time.Now,
		LeaseDuration: time.Minute, LeaseInterval: time.Minute,
	})
	l.registrar.credentialTimeout = 3 * time.Second
	return l
}

func (o *testHost) secret(t *testing.T, name string) map[string][]byte {
	t.Helper()
	var s corev1.Secret
	if err := o.Get(context.Background(), client.ObjectKey{Namespace: system, Name: name}, &s); err != nil {
		t.Fatal(err)
	}
	return s.Data
}
