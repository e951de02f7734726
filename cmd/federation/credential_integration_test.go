//go:build integration

package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/membership"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// large is far more than any limit of an agent's objects.
var large = strings.Repeat("x", 200_000)

// oversizedLeases are Leases that fill the host's etcd.
func oversizedLeases(namespace string) map[string]*coordinationv1.Lease {
	lease := func(change func(*coordinationv1.Lease)) *coordinationv1.Lease {
		l := &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: v1alpha1.AgentLease},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: ptr.To("agent"), LeaseDurationSeconds: ptr.To[int32](60), RenewTime: ptr.To(metav1.NowMicro())},
		}
		change(l)
		return l
	}
	return map[string]*coordinationv1.Lease{
		"under another name":      lease(func(l *coordinationv1.Lease) { l.Name = "another" }),
		"with a large annotation": lease(func(l *coordinationv1.Lease) { l.Annotations = map[string]string{"a": large} }),
		"with a large holder":     lease(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To(large) }),
		"with a finalizer":        lease(func(l *coordinationv1.Lease) { l.Finalizers = []string{"example.com/stay"} }),
		"with many labels": lease(func(l *coordinationv1.Lease) {
			l.Labels = map[string]string{"a": "1", "b": "1", "c": "1", "d": "1", "e": "1"}
		}),
		"with a label's long name": lease(func(l *coordinationv1.Lease) {
			l.Labels = map[string]string{strings.Repeat("x", 200) + ".example/a": "1"}
		}),
		"with somebody as an owner": lease(func(l *coordinationv1.Lease) {
			l.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "n", UID: "u"}}
		}),
	}
}

// invalidRequests are requests that fill the host's etcd, or are for something other than an agent's credential.
func invalidRequests(t *testing.T, a *agent) map[string]*certificatesv1.CertificateSigningRequest {
	request := func(change func(*certificatesv1.CertificateSigningRequest)) *certificatesv1.CertificateSigningRequest {
		csr := a.request(t, nil)
		change(csr)
		return csr
	}
	return map[string]*certificatesv1.CertificateSigningRequest{
		"under another name":      request(func(c *certificatesv1.CertificateSigningRequest) { c.Name = "another" }),
		"under another's name":    request(func(c *certificatesv1.CertificateSigningRequest) { c.Name = v1alpha1.RequestName("victim", "0") }),
		"with a large annotation": request(func(c *certificatesv1.CertificateSigningRequest) { c.Annotations = map[string]string{"a": large} }),
		"with a finalizer":        request(func(c *certificatesv1.CertificateSigningRequest) { c.Finalizers = []string{"example.com/stay"} }),
		"for another signer":      request(func(c *certificatesv1.CertificateSigningRequest) { c.Spec.SignerName = "example.com/signer" }),
		"of a large size": a.request(t, func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequestSpec) {
			r.DNSNames = []string{large}
		}),
	}
}

// What one credential, and one invitation's token, can store on the host is limited, whatever it is used for.
func TestCredentialStoresLittle(t *testing.T) {
	a := joined(t, "flood")
	by := invite(t, "flooder", "first", time.Hour)
	namespace := v1alpha1.MemberNamespace("flood")
	for why, lease := range oversizedLeases(namespace) {
		if err := applied(a.client, lease); !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
			t.Errorf("a Lease %s: %v", why, err)
		}
	}
	if err := a.client.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "more"}}); !apierrors.IsForbidden(err) {
		t.Errorf("a Lease by a POST: %v", err)
	}
	for who, from := range map[string]*agent{"a credential": a, "an invitation's token": {member: "flooder", key: a.key, client: by}} {
		for why, csr := range invalidRequests(t, from) {
			if err := send(from.client, csr); !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
				t.Errorf("%s makes a request %s: %v", who, why, err)
			}
		}
		generated := from.request(t, nil)
		generated.Name, generated.GenerateName = "", v1alpha1.RequestPrefix+from.member+"-"
		if err := from.client.Create(ctx, generated); !apierrors.IsForbidden(err) {
			t.Errorf("%s makes a request by a POST: %v", who, err)
		}
		if err := from.client.List(ctx, &certificatesv1.CertificateSigningRequestList{}); !apierrors.IsForbidden(err) {
			t.Errorf("%s lists everybody's requests: %v", who, err)
		}
	}
	victim := newAgent(t, "victim2").request(t, nil)
	must(t, admin.Create(ctx, victim))
	if err := a.client.Get(ctx, client.ObjectKeyFromObject(victim), victim); !apierrors.IsForbidden(err) {
		t.Errorf("a credential reads another's request: %v", err)
	}
	a.forgeManagedFields(t)
	if stored := storedBy(t, "flood") + storedBy(t, "flooder"); stored > 64<<10 {
		t.Errorf("after all that, %d bytes are stored", stored)
	}
}

// forgeManagedFields tries to store data in managedFields, which a client may send.
func (a *agent) forgeManagedFields(t *testing.T) {
	t.Helper()
	forged := []metav1.ManagedFieldsEntry{{
		Manager: "m", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "coordination.k8s.io/v1", FieldsType: "FieldsV1", Time: ptr.To(metav1.Now()),
		FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:` + large + `":{}}}`),
	}}
	lease := &coordinationv1.Lease{}
	must(t, a.client.Get(ctx, client.ObjectKey{Namespace: v1alpha1.MemberNamespace(a.member), Name: v1alpha1.AgentLease}, lease))
	lease.ManagedFields = forged
	if err := a.client.Update(ctx, lease); err == nil && len(encoded(t, lease)) > len(large) {
		t.Error("a Lease accepts managedFields of any size")
	}
	member := &v1alpha1.Member{}
	must(t, a.client.Get(ctx, client.ObjectKey{Name: a.member}, member))
	forged[0].APIVersion, forged[0].Subresource = v1alpha1.GroupVersion.String(), "status"
	forged[0].FieldsV1 = metav1.NewFieldsV1(`{"f:status":{"f:` + large + `":{}}}`)
	member.ManagedFields = forged
	if err := a.client.Status().Update(ctx, member); err == nil && len(encoded(t, member)) > len(large) {
		t.Error("a Member's status accepts managedFields of any size")
	}
}

// fullMember is the largest status that an agent reports of its organization.
func fullMember(s *v1alpha1.MemberStatus) {
	s.Root, s.LinesSummary = "root", "900/900"
	s.Nodes = v1alpha1.NodeCount{Ready: 41, Desired: 41, Summary: "41/41"}
	for i := range 900 {
		s.Lines = append(s.Lines, v1alpha1.LineReport{
			Name: fmt.Sprintf("line-%d-%s", i, strings.Repeat("x", 40)), Member: "far", State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp,
			RTTMicroseconds: 900, Active: true, Since: metav1.Now(), Reason: v1alpha1.LineFull,
		})
	}
	s.Lines = append(s.Lines, v1alpha1.LineReport{Name: strings.Repeat("l", 253), Member: "far", State: v1alpha1.LineUp})
}

// fullPlan is the largest status that an agent reports of a plan.
func fullPlan(s *v1alpha1.MemberPlanStatus) {
	s.Phase, s.Record, s.Holdings = "Contracts", digestOf("record"), digestOf("holdings")
	var peers, orderers []string
	for i := range 41 {
		name, role := fmt.Sprintf("peer%d-full", i), v1alpha1.RolePeer
		if i >= 32 {
			name, role = fmt.Sprintf("orderer%d-full", i-32), v1alpha1.RoleOrderer
			orderers = append(orderers, name)
		} else {
			peers = append(peers, name)
		}
		s.Nodes = append(s.Nodes, v1alpha1.PlanNodeStatus{
			Name: name, Role: role, Ready: true, Image: "i", StateDatabaseImage: "d", Reason: v1alpha1.ReasonFailed, Message: "m",
		})
	}
	for i := range 256 {
		s.Channels = append(s.Channels, v1alpha1.PlanChannelStatus{
			Name: fmt.Sprintf("channel%d", i), Genesis: digestOf("g"), GenesisHash: "h", Height: 1,
			Steps: []v1alpha1.PlanStep{
				{Name: planner.StepJoinOrderers, Nodes: orderers, Done: true}, {Name: planner.StepJoinPeers, Nodes: peers, Done: true},
				{Name: planner.StepSetAnchors, Done: true, WaitingFor: []string{"org1"}},
			},
			Reason: v1alpha1.ReasonFailed, Message: "m",
		})
	}
	for i := range 512 {
		s.Contracts = append(s.Contracts, v1alpha1.PlanContractStatus{Name: fmt.Sprintf("contract%d", i), Channel: "channel0", Running: true, Approved: 1})
	}
	for i := range 12 {
		s.Conditions = append(s.Conditions, metav1.Condition{
			Type: fmt.Sprintf("Type%d", i), Status: metav1.ConditionTrue, Reason: "R", Message: "m", LastTransitionTime: metav1.Now(), ObservedGeneration: 1,
		})
	}
}

// TestValidReportsPass: the policy that limits managedFields accepts the largest reports of agents, and the writes of the
// host's own controllers beside them.
func TestValidReportsPass(t *testing.T) {
	namespace := namespaced(t)
	a := joined(t, "honest")
	m := &v1alpha1.Member{}
	must(t, a.client.Get(ctx, client.ObjectKey{Name: "honest"}, m))
	fullMember(&m.Status)
	if err := a.client.Status().Update(ctx, m, client.FieldOwner("hanse-member-agent")); err != nil {
		t.Errorf("a Member with 901 lines: %v", err)
	}
	trade(t, namespace, "honest", "honest")
	p := planOf("honest", "honest")
	eventually(t, "a plan with 41 nodes, 256 channels and 512 contracts", func() error {
		p = planOf("honest", "honest")
		if err := a.client.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
			return err
		}
		fullPlan(&p.Status)
		err := a.client.Status().Update(ctx, p, client.FieldOwner("hanse-member-agent"))
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
			t.Fatal(err)
		}
		return err // the host may just have changed the plan
	})
	// An update of a plan whose account the host has ended begins none; what is applied always does.
	status, err := json.Marshal(p.Status)
	must(t, err)
	must(t, a.applyStatus(p, string(status), "hanse-member-agent"))
	must(t, a.client.Get(ctx, client.ObjectKeyFromObject(p), p))
	if account := encoded(t, &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{ManagedFields: p.ManagedFields}}); len(account) < 10_000 {
		t.Errorf("the plan's managedFields are too short for this test: %s", account)
	}
	// The host's controllers write both after that.
	a.renew(t, 1)
	a.waitOnline(t, metav1.ConditionUnknown)
	a.renew(t, 300)
	a.waitOnline(t, metav1.ConditionTrue)
	consortium := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "honest"}}
	must(t, admin.Patch(ctx, consortium, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"nodes":{"extraSANs":["peers.example.com"]}}}`))))
	eventually(t, "the host's change of the plan", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(p), p))
		if len(p.Spec.Nodes[0].ExtraSANs) != 1 {
			return errors.New("not yet")
		}
		return nil
	})
	must(t, admin.Get(ctx, client.ObjectKey{Name: "honest"}, m))
	if len(m.ManagedFields) < 3 {
		t.Errorf("the Member has %d field managers, which is too few for this test", len(m.ManagedFields))
	}
}

// TestForgedManagedFields: an agent cannot store data in managedFields, whether it sends them or they result from an apply.
func TestForgedManagedFields(t *testing.T) {
	namespace := namespaced(t)
	a := joined(t, "forger")
	trade(t, namespace, "forged", "forger")
	p := planOf("forger", "forged")
	eventually(t, "the plan", func() error { return a.client.Get(ctx, client.ObjectKeyFromObject(p), p) })
	waitConsortium(t, namespace, "forged", v1alpha1.ConsortiumPlansWritten, metav1.ConditionTrue, "")
	many := func(n int, format string) string {
		parts := make([]string, 0, n)
		for i := range n {
			parts = append(parts, fmt.Sprintf(format, i))
		}
		return strings.Join(parts, ",")
	}
	for why, fields := range map[string]string{
		"one very long field":         `{"f:status":{"f:` + large + `":{}}}`,
		"one very long key":           `{"f:status":{"f:nodes":{"k:{\"name\":\"` + large + `\"}":{}}}}`,
		"very many fields":            `{"f:status":{` + many(5000, `"f:field%d":{}`) + `}}`,
		"very many keys":              `{"f:status":{"f:channels":{` + many(5000, `"k:{\"name\":\"x%d\"}":{}`) + `}}}`,
		"very many values of one set": `{"f:status":{"f:channels":{"k:{\"name\":\"x\"}":{"f:peers":{` + many(5000, `"v:\"x%d\"":{}`) + `}}}}}`,
		"fields within fields":        `{"f:status":` + strings.Repeat(`{"f:a":`, 12) + "{}" + strings.Repeat("}", 12) + `}`,
	} {
		a.storesLittle(t, p, "an update that sends along "+why, func(p *v1alpha1.MemberPlan) error {
			p.Status.Phase, p.ManagedFields = "x", append(p.ManagedFields, forgedEntry("forger", fields))
			return a.client.Status().Update(ctx, p)
		})
	}
	for why, status := range map[string]string{
		"one very long field":         `{"` + large + `":"x"}`,
		"one very long key":           `{"nodes":[{"name":"` + large + `","role":"Peer","ready":true}]}`,
		"very many keys":              `{"channels":[` + many(5000, `{"name":"x%d"}`) + `]}`,
		"very many fields":            `{` + many(5000, `"field%d":"x"`) + `}`,
		"very many values of one set": `{"channels":[{"name":"x","peers":[` + many(5000, `"peer%d"`) + `]}]}`,
		"one very long value":         `{"channels":[{"name":"x","peers":["` + large + `"]}]}`,
	} {
		a.storesLittle(t, p, "applying "+why, func(p *v1alpha1.MemberPlan) error { return a.applyStatus(p, status, "forger") })
	}
	managers := 0
	for ; managers < 50 && a.applyStatus(p, `{"phase":"x"}`, fmt.Sprintf("manager%d", managers)) == nil; managers++ {
	}
	if managers == 0 || managers > 10 {
		t.Errorf("a status takes %d field managers", managers)
	}
}

// storesLittle checks that something that an agent tries with a plan is rejected, or stores almost nothing.
func (a *agent) storesLittle(t *testing.T, p *v1alpha1.MemberPlan, why string, try func(*v1alpha1.MemberPlan) error) {
	t.Helper()
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(p), p))
	before := len(encoded(t, p))
	err := try(p.DeepCopy())
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(p), p))
	if grown := len(encoded(t, p)) - before; grown > 1024 {
		t.Errorf("%s: %d bytes more are stored, %.200v", why, grown, err)
	}
}

// applyStatus applies a status given as JSON, under a field manager of the agent's choice.
func (a *agent) applyStatus(p *v1alpha1.MemberPlan, status, manager string) error {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MemberPlan"))
	u.SetNamespace(p.Namespace)
	u.SetName(p.Name)
	var fields map[string]any
	if err := json.Unmarshal([]byte(status), &fields); err != nil {
		return err
	}
	u.Object["status"] = fields
	return a.client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(manager), client.ForceOwnership)
}

func forgedEntry(manager, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: v1alpha1.GroupVersion.String(), FieldsType: "FieldsV1",
		Time: ptr.To(metav1.Now()), Subresource: "status", FieldsV1: metav1.NewFieldsV1(fields),
	}
}

func encoded(t *testing.T, object client.Object) []byte {
	t.Helper()
	raw, err := json.Marshal(object)
	must(t, err)
	return raw
}

// storedBy is the size of what a Member's agent has stored on the host, except its statuses.
func storedBy(t *testing.T, member string) int {
	t.Helper()
	size := 0
	var leases coordinationv1.LeaseList
	must(t, admin.List(ctx, &leases, client.InNamespace(v1alpha1.MemberNamespace(member))))
	for i := range leases.Items {
		size += len(encoded(t, &leases.Items[i]))
	}
	var requests certificatesv1.CertificateSigningRequestList
	must(t, admin.List(ctx, &requests))
	for i := range requests.Items {
		if strings.HasPrefix(requests.Items[i].Name, v1alpha1.RequestPrefix+member+"-") {
			size += len(encoded(t, &requests.Items[i]))
		}
	}
	return size
}

// reportRequests reports requests in the agent's status, as an agent does before it sends them.
func (a *agent) reportRequests(t *testing.T, requests ...*certificatesv1.CertificateSigningRequest) {
	t.Helper()
	a.reportMember(t, func(s *v1alpha1.MemberStatus) {
		s.Agent.KeyFingerprint = a.fingerprint(t)
		for _, csr := range requests {
			s.Agent.Requests = append(s.Agent.Requests, membership.RequestHash(csr))
		}
	})
}

func sharedCredential(t *testing.T, member string) (string, bool) {
	t.Helper()
	c := meta.FindStatusCondition(getMember(t, member).Status.Conditions, v1alpha1.MemberCredentialShared)
	if c == nil {
		return "there is no condition", false
	}
	return c.Message, c.Status == metav1.ConditionTrue
}

// An attacker has the agent's key and certificate, and renews the certificate as the agent does.
func TestStolenCredentialIsSeen(t *testing.T) {
	a := newAgent(t, "robbed")
	by := invite(t, "robbed", "first", time.Hour)
	first := a.request(t, nil)
	must(t, send(by, first))
	outcome(t, by, first)
	a.register(t, by) // asks once more, as after a crash
	r := getMember(t, "robbed").Status.Registration
	if r == nil || r.Issued != 2 || len(r.Requests) != 2 {
		t.Fatalf("registration %+v", r)
	}
	must(t, a.renewAs(300, "agent/one"))
	a.reportMember(t, func(s *v1alpha1.MemberStatus) {
		s.Agent.KeyFingerprint, s.Agent.Requests = a.fingerprint(t), r.Requests
	})
	// Its own renewal, and its restart, are no alarm.
	renewal := a.request(t, nil)
	a.reportRequests(t, renewal)
	must(t, send(a.client, renewal))
	outcome(t, a.client, renewal)
	must(t, a.renewAs(301, "agent/two"))
	eventually(t, "the host to count it", func() error {
		if r := getMember(t, "robbed").Status.Registration; r.Issued != 3 {
			return fmt.Errorf("registration %+v", r)
		}
		if what, shared := sharedCredential(t, "robbed"); shared || what == "there is no condition" {
			return fmt.Errorf("CredentialShared is %v: %s", shared, what)
		}
		return nil
	})

	theft := a.request(t, nil)
	must(t, send(a.client, theft))
	outcome(t, a.client, theft)
	eventually(t, "the theft to be seen", func() error {
		what, shared := sharedCredential(t, "robbed")
		if !shared || !strings.Contains(what, "kubectl hanse invite robbed --replace") {
			return fmt.Errorf("CredentialShared is %v: %s", shared, what)
		}
		return nil
	})

	// A new agent ends it, and what the thief has opens nothing any more.
	fresh := newAgent(t, "robbed")
	fresh.register(t, invite(t, "robbed", "again", time.Hour))
	eventually(t, "the alarm to end and the thief to be shut out", func() error {
		if what, shared := sharedCredential(t, "robbed"); shared {
			return fmt.Errorf("CredentialShared: %s", what)
		}
		if err := a.renewAs(300, "agent/thief"); !apierrors.IsForbidden(err) {
			return fmt.Errorf("the thief's credential: %w", err)
		}
		return nil
	})
}

// Two agents that renew the Lease alternately are detected.
func TestTwoAgentsAlternately(t *testing.T) {
	a := joined(t, "turns")
	i := 0
	eventually(t, "the second agent to be seen", func() error {
		must(t, a.renewAs(300, fmt.Sprintf("agent/%d", i%2)))
		i++
		if what, shared := sharedCredential(t, "turns"); !shared {
			return fmt.Errorf("CredentialShared is False: %s", what)
		}
		return nil
	})
	if i < 5 {
		t.Errorf("an alarm after %d renewals, as many as there are when a replica is replaced", i)
	}
}
