package membership

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"strings"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) *metav1.Time { return ptr.To(metav1.NewTime(now.Add(d))) }

func TestRequestorOf(t *testing.T) {
	for _, c := range []struct {
		why, user string
		want      requestor
		ours      bool
	}{
		{"a Member's credential", "hanse:member:org1:0123456789", requestor{member: "org1"}, true},
		{"a Member's name without a key", "hanse:member:org1", requestor{member: "org1"}, false},
		{"a key without a Member", "hanse:member::0123456789", requestor{}, false},
		{"an invitation", "system:serviceaccount:hanse-member-org1:invite", requestor{member: "org1", invited: true}, true},
		{"another ServiceAccount of that namespace", "system:serviceaccount:hanse-member-org1:default", requestor{}, false},
		{"an invite ServiceAccount of another namespace", "system:serviceaccount:org1:invite", requestor{}, false},
		{"the prefix alone", "hanse:member:", requestor{}, false},
		{"a namespace without a Member", "system:serviceaccount:hanse-member-:invite", requestor{}, false},
		{"an administrator", "kubernetes-admin", requestor{}, false},
		{"a node", "system:node:n1", requestor{}, false},
	} {
		if got, ours := requestorOf(c.user); ours != c.ours || (ours && got != c.want) {
			t.Errorf("%s: %+v, %v", c.why, got, ours)
		}
	}
}

// request makes a request of member org1 and its key's fingerprint.
func request(t *testing.T, key crypto.Signer, change func(*x509.CertificateRequest, *certificatesv1.CertificateSigningRequest)) (*certificatesv1.CertificateSigningRequest, string) {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: v1alpha1.MemberKeyUser("org1", Fingerprint(public)), Organization: []string{"hanse:members"}}}
	csr := &certificatesv1.CertificateSigningRequest{Spec: certificatesv1.CertificateSigningRequestSpec{
		UID: "account", ExpirationSeconds: ptr.To[int32](3600),
		Usages: []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageKeyEncipherment, certificatesv1.UsageClientAuth},
	}}
	if change != nil {
		change(template, csr)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	if csr.Spec.Request == nil {
		csr.Spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	}
	parsed, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return csr, Fingerprint(parsed.RawSubjectPublicKeyInfo)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestValidateCSR(t *testing.T) {
	key := newKey(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go version generates no weak keys")
	}
	for _, c := range []struct {
		why, says string
		key       crypto.Signer
		change    func(*x509.CertificateRequest, *certificatesv1.CertificateSigningRequest)
	}{
		{"a valid request", "", key, nil},
		{"no PEM", "not one PEM block", key, func(_ *x509.CertificateRequest, c *certificatesv1.CertificateSigningRequest) {
			c.Spec.Request = []byte("x")
		}},
		{"no request in it", "cannot be parsed", key, func(_ *x509.CertificateRequest, c *certificatesv1.CertificateSigningRequest) {
			c.Spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("x")})
		}},
		{"another's name", "can ask for the name", key, func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
			r.Subject.CommonName = "hanse:member:org2" + r.Subject.CommonName[len("hanse:member:org1"):]
		}},
		{"the name of another key", "can ask for the name", key, func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
			r.Subject.CommonName = "hanse:member:org1:0123456789"
		}},
		{"a privileged group", "nothing else", key, func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
			r.Subject.Organization = []string{"system:masters"}
		}},
		{"no group", "nothing else", key, func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
			r.Subject.Organization = nil
		}},
		{"an address", "leave them out", key, func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
			r.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)}
		}},
		{"server auth", "not for", key, func(_ *x509.CertificateRequest, c *certificatesv1.CertificateSigningRequest) {
			c.Spec.Usages = append(c.Spec.Usages, certificatesv1.UsageServerAuth)
		}},
		{"no client auth", "is for client auth", key, func(_ *x509.CertificateRequest, c *certificatesv1.CertificateSigningRequest) {
			c.Spec.Usages = c.Spec.Usages[:1]
		}},
		{"no end", "604800 seconds", key, func(_ *x509.CertificateRequest, c *certificatesv1.CertificateSigningRequest) {
			c.Spec.ExpirationSeconds = nil
		}},
		{"a weak key", "2048 bits", weak, nil},
	} {
		csr, fingerprint := request(t, c.key, c.change)
		got, problem := validateCSR(csr, "org1")
		if c.says == "" && (problem != "" || got != fingerprint) {
			t.Errorf("%s: rejected with %q", c.why, problem)
		}
		if c.says != "" && !strings.Contains(problem, c.says) {
			t.Errorf("%s: got %q, want %q", c.why, problem, c.says)
		}
	}
}

func TestValidateRequest(t *testing.T) {
	csr, own := request(t, newKey(t), nil)
	member := func(invitation, usedUp, key string, expires time.Duration) *v1alpha1.Member {
		m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}, Spec: v1alpha1.MemberSpec{Invitation: invitation, InvitationExpires: at(expires)}}
		if key != "" {
			m.Status.Registration = &v1alpha1.MemberRegistration{Invitation: usedUp, KeyFingerprint: key}
		}
		return m
	}
	account := func(uid, invitation string) *corev1.ServiceAccount {
		return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{UID: "account", Annotations: map[string]string{v1alpha1.AnnotationInvitation: invitation}, Name: uid}}
	}
	good := account("a", "new")
	other := account("a", "new")
	other.UID = "another"
	invited, holder := requestor{member: "org1", invited: true}, requestor{member: "org1"}
	for _, c := range []struct {
		why      string
		who      requestor
		member   *v1alpha1.Member
		account  *corev1.ServiceAccount
		register bool
		second   bool
		says     string
	}{
		{"the first agent", invited, member("new", "", "", time.Hour), good, true, false, ""},
		{"the same agent asks again", invited, member("new", "new", own, time.Hour), good, false, false, ""},
		{"it asks again after the invitation has expired, as it is registered already", invited, member("new", "new", own, -time.Hour), good, false, false, ""},
		{"a second agent", invited, member("new", "new", "c0ffee", time.Hour), good, false, true, "c0ffee"},
		{"a new invitation replaces the agent", invited, member("new", "old", "c0ffee", time.Hour), good, true, false, ""},
		{"too late", invited, member("new", "", "", 0), good, false, false, "has expired"},
		{"the invitation was withdrawn", invited, member("", "", "", time.Hour), good, false, false, "no longer valid"},
		{"a token of the last invitation's ServiceAccount", invited, member("new", "", "", time.Hour), other, false, false, "no longer valid"},
		{"the ServiceAccount was not renewed yet", invited, member("new", "", "", time.Hour), account("a", "old"), false, false, "no longer valid"},
		{"the ServiceAccount is gone", invited, member("new", "", "", time.Hour), nil, false, false, "no longer valid"},
		{"the Member is gone", invited, nil, nil, false, false, "there is no Member org1"},
		{"renewal for the same key", holder, member("", "old", own, 0), nil, false, false, ""},
		{"renewal for another key", holder, member("", "old", "c0ffee", 0), nil, false, true, "same key"},
		{"a credential of a Member that is not registered", holder, member("new", "", "", time.Hour), nil, false, true, "none so far"},
	} {
		got := validateRequest(csr, c.who, c.member, c.account, now)
		if (got.register == own) != c.register || got.alreadyRegistered != c.second || (got.denied == "") != (c.says == "") || !strings.Contains(got.denied, c.says) {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}

func TestInvitationOpen(t *testing.T) {
	spec := v1alpha1.MemberSpec{Invitation: "new", InvitationExpires: at(time.Hour)}
	used := &v1alpha1.MemberRegistration{Invitation: "new", Time: metav1.NewTime(now.Add(-time.Minute))}
	for _, c := range []struct {
		why          string
		spec         v1alpha1.MemberSpec
		registration *v1alpha1.MemberRegistration
		leaseCreated time.Time
		open         bool
	}{
		{"no invitation", v1alpha1.MemberSpec{}, nil, time.Time{}, false},
		{"an open invitation", spec, nil, time.Time{}, true},
		{"an invitation without an expiry", v1alpha1.MemberSpec{Invitation: "new"}, nil, time.Time{}, true},
		{"an expired invitation", v1alpha1.MemberSpec{Invitation: "new", InvitationExpires: at(0)}, nil, time.Time{}, false},
		{"a new invitation after a used one", spec, &v1alpha1.MemberRegistration{Invitation: "old"}, now.Add(-time.Hour), true},
		{"used, but no Lease shows yet that the agent has its certificate", spec, used, time.Time{}, true},
		{"used, with the previous agent's Lease", spec, used, now.Add(-time.Hour), true},
		{"used, with a new Lease", spec, used, now.Add(-time.Second), false},
		{"a Lease created in the second of the registration may be the previous agent's", spec,
			&v1alpha1.MemberRegistration{Invitation: "new", Time: *at(-time.Second)}, now.Add(-time.Second), true},
		{"but not after the minimum grace", spec,
			&v1alpha1.MemberRegistration{Invitation: "new", Time: *at(-minCredentialGrace)}, now.Add(-minCredentialGrace), false},
		{"the grace is over", spec, &v1alpha1.MemberRegistration{Invitation: "new", Time: *at(-credentialGrace)}, time.Time{}, false},
	} {
		open, _ := invitationOpen(&v1alpha1.Member{Spec: c.spec, Status: v1alpha1.MemberStatus{Registration: c.registration}}, c.leaseCreated, now)
		if open != c.open {
			t.Errorf("%s: open is %v", c.why, open)
		}
	}
}

func lease(renewal time.Duration, seconds int32) *coordinationv1.Lease {
	return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{
		RenewTime: ptr.To(metav1.NewMicroTime(now.Add(renewal))), LeaseDurationSeconds: ptr.To(seconds),
	}}
}

func TestObserveLease(t *testing.T) {
	seen := func(renewal, at time.Duration) leaseObservation {
		return leaseObservation{renewal: now.Add(renewal), seen: now.Add(at)}
	}
	for _, c := range []struct {
		why       string
		old       leaseObservation
		known     bool
		wasOnline bool
		lease     *coordinationv1.Lease
		online    bool
	}{
		{"a renewal counts from when it was seen", seen(-20*time.Second, -20*time.Second), true, true, lease(-1*time.Second, 10), true},
		{"no renewal for too long", seen(-20*time.Second, -20*time.Second), true, true, lease(-20*time.Second, 10), false},
		{"no renewal, but not for too long", seen(-14*time.Second, -14*time.Second), true, true, lease(-14*time.Second, 10), true},
		{"a clock that is an hour behind", seen(-3610*time.Second, -10*time.Second), true, true, lease(-3600*time.Second, 10), true},
		{"a clock that is an hour ahead does not keep a Member online", seen(3600*time.Second, -20*time.Second), true, true, lease(3600*time.Second, 10), false},
		{"after a restart, a Lease that is current", leaseObservation{}, false, false, lease(-5*time.Second, 10), true},
		{"after a restart, a Lease that is old", leaseObservation{}, false, false, lease(-50*time.Second, 10), false},
		{"after a restart, a Member that was online gets time to renew", leaseObservation{}, false, true, lease(-50*time.Second, 10), true},
		{"after a restart, a Lease of the future is not current", leaseObservation{}, false, false, lease(time.Hour, 10), false},
		{"a Lease without a duration has the default one", seen(-20*time.Second, -20*time.Second), true, true, lease(-20*time.Second, 0), true},
		{"the duration is limited", seen(-time.Hour, -time.Hour), true, true, lease(-time.Hour, 86400), false},
	} {
		got := observeLease(c.old, c.known, c.lease, c.wasOnline, now)
		outcome := online(c.lease, got.seen.Add(grace(c.lease)), now)
		if (outcome.Status == metav1.ConditionTrue) != c.online || outcome.Status == metav1.ConditionFalse {
			t.Errorf("%s: %+v", c.why, outcome)
		}
	}
}

func TestRegistered(t *testing.T) {
	for _, c := range []struct {
		why    string
		spec   v1alpha1.MemberSpec
		status v1alpha1.MemberStatus
		reason string
	}{
		{"no invitation", v1alpha1.MemberSpec{}, v1alpha1.MemberStatus{}, v1alpha1.ReasonWaiting},
		{"an open invitation", v1alpha1.MemberSpec{Invitation: "x", InvitationExpires: at(time.Hour)}, v1alpha1.MemberStatus{}, v1alpha1.ReasonInvited},
		{"an expired invitation", v1alpha1.MemberSpec{Invitation: "x", InvitationExpires: at(-time.Hour)}, v1alpha1.MemberStatus{}, v1alpha1.ReasonInvitationExpired},
		{"a registered agent", v1alpha1.MemberSpec{Invitation: "y"}, v1alpha1.MemberStatus{Registration: &v1alpha1.MemberRegistration{Invitation: "x"}}, v1alpha1.ReasonRegistered},
	} {
		if got := registered(&v1alpha1.Member{Spec: c.spec, Status: c.status}, now); got.Reason != c.reason {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}
