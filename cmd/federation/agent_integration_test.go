//go:build integration

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/membership"
	"github.com/hanse-io/hanse/internal/testcluster"
)

// agent is a fake of a Member's agent: it makes the same requests to the host.
type agent struct {
	member string
	key    *ecdsa.PrivateKey
	client client.Client
}

func newAgent(t *testing.T, member string) *agent {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return &agent{member: member, key: key}
}

func (a *agent) fingerprint(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(a.key.Public())
	must(t, err)
	return membership.Fingerprint(der)
}

// invite declares a Member with an invitation, waits for its ServiceAccount and returns a client with its token.
func invite(t *testing.T, member, invitation string, validity time.Duration) client.Client {
	t.Helper()
	m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: member}}
	if err := admin.Get(ctx, client.ObjectKeyFromObject(m), m); err != nil {
		must(t, admin.Create(ctx, m))
	}
	before := m.DeepCopy()
	m.Spec.Invitation = invitation
	m.Spec.InvitationExpires = ptr.To(metav1.NewTime(time.Now().Add(validity)))
	must(t, admin.Patch(ctx, m, client.MergeFrom(before)))
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace(member), Name: v1alpha1.InviteServiceAccount}}
	eventually(t, "the invitation's ServiceAccount", func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(account), account); err != nil {
			return err
		}
		if account.Annotations[v1alpha1.AnnotationInvitation] != invitation {
			return errors.New("it is the old invitation's")
		}
		return nil
	})
	token := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](600)}}
	must(t, admin.SubResource("token").Create(ctx, account, token))
	c := rest.AnonymousClientConfig(config)
	c.BearerToken = token.Status.Token
	by := clientFor(t, c)
	waitAllowed(t, by, authorizationv1.ResourceAttributes{
		Group: "certificates.k8s.io", Resource: "certificatesigningrequests", Verb: "create", Name: v1alpha1.RequestNames(member)[0],
	})
	return by
}

// waitAllowed waits until a permission is in effect: the API server's authorizer watches bindings, with a delay.
func waitAllowed(t *testing.T, by client.Client, what authorizationv1.ResourceAttributes) {
	t.Helper()
	eventually(t, fmt.Sprintf("the right to %s %s", what.Verb, what.Resource), func() error {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &what}}
		if err := by.Create(ctx, review); err != nil {
			return err
		}
		if !review.Status.Allowed {
			return errors.New(review.Status.Reason)
		}
		return nil
	})
}

func clientFor(t *testing.T, c *rest.Config) client.Client {
	t.Helper()
	c.QPS = -1
	made, err := client.New(c, client.Options{Scheme: admin.Scheme()})
	must(t, err)
	return made
}

// request is a valid CertificateSigningRequest of the agent, changed by modify unless that is nil.
func (a *agent) request(t *testing.T, modify func(*x509.CertificateRequest, *certificatesv1.CertificateSigningRequestSpec)) *certificatesv1.CertificateSigningRequest {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: v1alpha1.MemberKeyUser(a.member, a.fingerprint(t)), Organization: []string{v1alpha1.MembersGroup}}}
	spec := certificatesv1.CertificateSigningRequestSpec{
		SignerName:        certificatesv1.KubeAPIServerClientSignerName,
		ExpirationSeconds: ptr.To[int32](3600),
		Usages:            []certificatesv1.KeyUsage{certificatesv1.UsageClientAuth, certificatesv1.UsageDigitalSignature},
	}
	if modify != nil {
		modify(template, &spec)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, a.key)
	must(t, err)
	spec.Request = encode("CERTIFICATE REQUEST", der)
	return &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.RequestName(a.member, a.fingerprint(t))}, Spec: spec,
	}
}

// send creates a request as an agent does: it replaces the last one, by server-side apply, so that RBAC's resourceNames applies.
func send(by client.Client, csr *certificatesv1.CertificateSigningRequest) error {
	if err := by.Delete(ctx, csr.DeepCopy()); client.IgnoreNotFound(err) != nil {
		return err
	}
	return applied(by, csr)
}

// applied creates an object, or changes it, under its own name.
func applied(by client.Client, object client.Object) error {
	gvk, err := apiutil.GVKForObject(object, by.Scheme())
	if err != nil {
		return err
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	delete(fields, "status")
	u := &unstructured.Unstructured{Object: fields}
	u.SetGroupVersionKind(gvk)
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	return by.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("agent"), client.ForceOwnership)
}

// outcome waits until a request is issued or denied, and returns the certificate or the reason.
func outcome(t *testing.T, by client.Client, csr *certificatesv1.CertificateSigningRequest) (certificate []byte, denied string) {
	t.Helper()
	eventually(t, "a decision on "+csr.Name, func() error {
		if err := by.Get(ctx, client.ObjectKeyFromObject(csr), csr); err != nil {
			return err
		}
		for _, condition := range csr.Status.Conditions {
			if condition.Type == certificatesv1.CertificateDenied {
				denied = condition.Message
				return nil
			}
		}
		if certificate = csr.Status.Certificate; certificate == nil {
			return fmt.Errorf("conditions: %v", csr.Status.Conditions)
		}
		return nil
	})
	return certificate, denied
}

// register registers an agent; afterwards its client has the Member's credential.
func (a *agent) register(t *testing.T, by client.Client) {
	t.Helper()
	csr := a.request(t, nil)
	must(t, send(by, csr))
	certificate, denied := outcome(t, by, csr)
	if denied != "" {
		t.Fatalf("the request was denied: %s", denied)
	}
	c := rest.AnonymousClientConfig(config)
	key, err := testcluster.EncodeKey(a.key)
	must(t, err)
	c.CertData, c.KeyData = certificate, key
	a.client = clientFor(t, c)
	for _, right := range []authorizationv1.ResourceAttributes{
		{Namespace: v1alpha1.MemberNamespace(a.member), Group: "coordination.k8s.io", Resource: "leases", Verb: "create", Name: v1alpha1.AgentLease},
		{Group: v1alpha1.GroupName, Resource: "members", Name: a.member, Verb: "get"},
		{Group: "certificates.k8s.io", Resource: "certificatesigningrequests", Verb: "create", Name: v1alpha1.RequestNames(a.member)[0]},
	} {
		waitAllowed(t, a.client, right)
	}
}

// joined is a registered agent with a long Lease.
func joined(t *testing.T, member string) *agent {
	t.Helper()
	a := newAgent(t, member)
	a.register(t, invite(t, member, "first", time.Hour))
	a.renew(t, 300)
	a.waitOnline(t, metav1.ConditionTrue)
	return a
}

// renew makes or renews the agent's Lease with the agent's own credential.
func (a *agent) renew(t *testing.T, seconds int32) {
	t.Helper()
	must(t, a.renewAs(seconds, "agent"))
}

func (a *agent) renewAs(seconds int32, holder string) error {
	return applied(a.client, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace(a.member), Name: v1alpha1.AgentLease},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To(holder), LeaseDurationSeconds: ptr.To(seconds), RenewTime: ptr.To(metav1.NowMicro()),
		},
	})
}

func (a *agent) waitOnline(t *testing.T, want metav1.ConditionStatus) {
	t.Helper()
	eventually(t, "Online="+string(want), func() error {
		m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: a.member}}
		if err := admin.Get(ctx, client.ObjectKeyFromObject(m), m); err != nil {
			return err
		}
		if c := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.MemberOnline); c == nil || c.Status != want {
			return fmt.Errorf("conditions: %v", m.Status.Conditions)
		}
		return nil
	})
}

// report changes the status of the agent's plan with the agent's own credential.
func (a *agent) report(t *testing.T, consortium string, change func(*v1alpha1.MemberPlan)) {
	t.Helper()
	eventually(t, a.member+"'s plan", func() error {
		p := &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace(a.member), Name: consortium}}
		if err := a.client.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
			return err
		}
		if err := whole(a.client, p); err != nil {
			return err
		}
		before := p.DeepCopy()
		p.Status.ObservedGeneration = p.Generation
		if change != nil {
			change(p)
		}
		return a.client.Status().Patch(ctx, p, client.MergeFrom(before))
	})
}

// follow observes every change of the agent's plan until the test ends, as a running agent does.
func (a *agent) follow(t *testing.T, consortium string) {
	t.Helper()
	a.carryOut(t, consortium, func(p *v1alpha1.MemberPlan) { p.Status.ObservedGeneration = p.Generation })
}

// carryOut reports on each state of the agent's plan until the test ends.
func (a *agent) carryOut(t *testing.T, consortium string, report func(*v1alpha1.MemberPlan)) {
	t.Helper()
	until, key := t.Context(), client.ObjectKeyFromObject(planOf(a.member, consortium))
	done := make(chan struct{})
	t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		_ = wait.PollUntilContextCancel(until, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			p := &v1alpha1.MemberPlan{}
			if a.client.Get(ctx, key, p) != nil {
				return false, nil
			}
			before := p.DeepCopy()
			if report(p); !equality.Semantic.DeepEqual(before.Status, p.Status) {
				_ = a.client.Status().Patch(ctx, p, client.MergeFrom(before))
			}
			return false, nil
		})
	}()
}

// startNodes reports all nodes of the plan as ready with the images that it names.
func startNodes(p *v1alpha1.MemberPlan) {
	p.Status.Nodes = nil
	for _, node := range p.Spec.Nodes {
		p.Status.Nodes = append(p.Status.Nodes, v1alpha1.PlanNodeStatus{
			Name: node.Name, Role: node.Role, Ready: true, Image: node.Image, StateDatabaseImage: node.StateDatabaseImage,
			Settings: node.Template().Settings(), VolumeSize: node.Storage.Size,
		})
	}
}

// reportMember changes the agent's part of its Member's status with the agent's own credential.
func (a *agent) reportMember(t *testing.T, change func(*v1alpha1.MemberStatus)) {
	t.Helper()
	m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: a.member}}
	must(t, a.client.Get(ctx, client.ObjectKeyFromObject(m), m))
	before := m.DeepCopy()
	change(&m.Status)
	must(t, a.client.Status().Patch(ctx, m, client.MergeFrom(before)))
}
