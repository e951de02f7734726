//go:build integration

package host

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// From the invitation to a credential, its reuse, its renewal, and a new invitation after it.
func TestRegister(t *testing.T) {
	o := newTestHost(t)
	ctx := context.Background()
	if _, err := o.session().loadCredential(ctx); !errors.Is(err, errNoInvitation) {
		t.Fatalf("without an invitation: %v", err)
	}
	o.invite(t)
	token := string(o.secret(t, BootstrapSecret)[keyToken])
	first, err := o.session().loadCredential(ctx)
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
	second, err := o.session().loadCredential(ctx)
	if err != nil || !second.key.Equal(first.key) || string(second.certificate) != string(first.certificate) || len(second.requests.list()) != 1 {
		t.Errorf("after a restart the agent does not use what it was given: %v", err)
	}
	if _, still := o.secret(t, BootstrapSecret)[keyToken]; still {
		t.Error("a used token stays once it was put back")
	}
	l := o.session()
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
	third, err := o.session().loadCredential(ctx)
	if err != nil || third.key.Equal(first.key) {
		t.Errorf("a new invitation gets a new key, so that the host can tell the agents apart: %v", err)
	}
	var left certificatesv1.CertificateSigningRequestList
	if err := o.List(ctx, &left); err != nil || len(left.Items) != 0 {
		t.Errorf("%d requests are left on the host: %v", len(left.Items), err)
	}
}

// An agent that is not let in says what helps.
func TestDenied(t *testing.T) {
	o := newTestHost(t)
	ctx := context.Background()
	var refused errNotAdmitted
	o.bootstrap(t, "no token of this host")
	if _, err := o.session().loadCredential(ctx); !errors.As(err, &refused) || !strings.Contains(err.Error(), "kubectl hanse invite org1") {
		t.Errorf("with a token that is not good: %v", err)
	}
	o.invite(t)
	o.deny.Store("somebody else was first")
	if _, err := o.session().loadCredential(ctx); !errors.As(err, &refused) || !strings.Contains(err.Error(), "somebody else was first") {
		t.Errorf("with a request that is denied: %v", err)
	}
}

// A credential that works is given up for one that was issued and has been used, and for nothing less.
func TestFailedReinviteKeepsCredential(t *testing.T) {
	o := newTestHost(t)
	ctx := context.Background()
	o.invite(t)
	first, err := o.session().loadCredential(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why     string
		prepare func()
	}{
		{"a token that is none of this host's", func() { o.bootstrap(t, "rubbish") }},
		{"an invitation that somebody else has used", func() { o.invite(t); o.deny.Store("somebody else was first") }},
		{"a credential that is issued and then not taken", func() { o.invite(t); o.deny.Store(""); o.outsider.Store(true) }},
	} {
		row.prepare()
		l := o.session()
		for range 2 {
			got, err := l.loadCredential(ctx)
			if err != nil || !got.key.Equal(first.key) || string(got.certificate) != string(first.certificate) {
				t.Fatalf("%s: %v", row.why, err)
			}
		}
		if kept := o.secret(t, CredentialSecret); string(kept[corev1.TLSCertKey]) != string(first.certificate) {
			t.Fatalf("%s: the Secret has another certificate", row.why)
		}
		if err := l.registrar.verifyCredential(ctx, first); err != nil {
			t.Errorf("%s: the old credential: %v", row.why, err)
		}
	}
	o.outsider.Store(false)
	o.invite(t)
	next, err := o.session().loadCredential(ctx)
	if err != nil || next.key.Equal(first.key) {
		t.Fatalf("a good invitation at last: %v", err)
	}
	if kept := o.secret(t, CredentialSecret); string(kept[corev1.TLSCertKey]) != string(next.certificate) || kept[nextPrefix+corev1.TLSCertKey] != nil {
		t.Error("the Secret has not got the new credential alone")
	}
}

// Sessions with the host come and go, once a renewal and once a minute while the host rejects the credential. None leaves
// anything behind at the cache, which lives as long as the agent.
func TestSessionsCleanUp(t *testing.T) {
	o := newTestHost(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	local, err := cache.New(o.config, cache.Options{Scheme: o.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = local.Start(ctx) }()
	o.invite(t)
	l := o.session()
	l.options.Cache, l.options.Workers = local, 2
	c, err := l.loadCredential(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := l.watchMirrors(ctx)
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
		for deadline := time.Now().Add(time.Minute); !l.local.attached(); sleep(ctx, 5*time.Millisecond) {
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
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+sessions/4; sleep(ctx, 50*time.Millisecond) {
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
func TestSharedCredentialIsReported(t *testing.T) {
	o := newTestHost(t)
	ctx := context.Background()
	o.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.MemberNamespace("org1")}})
	o.create(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace("org1"), Name: "lease"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: v1alpha1.MembersGroup}},
	})
	o.invite(t)
	l := o.session()
	c, err := l.loadCredential(ctx)
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

	renew := func(l *HostSession) {
		var err error
		// The right to do so takes a moment to be in force.
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); sleep(ctx, 20*time.Millisecond) {
			if err = l.renewLease(ctx, conn.client); err == nil {
				return
			}
		}
		t.Fatal(err)
	}
	restarted, thief := o.session(), o.session()
	for _, who := range []*HostSession{l, l, restarted, l, restarted, restarted} {
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
