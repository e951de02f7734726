//go:build integration

package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
	"github.com/hanse-io/hanse/member-agent/statements"
	"github.com/hanse-io/hanse/statement"
)

// newRecord is what an organization shows to the others: its root, and a record signed under it, with TLS roots of its
// own that tell whose it is.
func newRecord(t *testing.T, member string) (root string, record *v1alpha1.StatementSpec, tlsRoot string) {
	t.Helper()
	var authorities [2]*fabrictest.Authority
	for i := range authorities {
		a, err := fabrictest.NewAuthority(member)
		if err != nil {
			t.Fatal(err)
		}
		authorities[i] = a
	}
	pair, err := authorities[0].Issue(ledger.Identity{CommonName: member, DNSNames: []string{v1alpha1.AgentServerName(member)}, Server: true, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	key, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := statement.NewRecord(v1alpha1.Record{
		Member: member, Consortium: "trade", Sequence: 1, TLSRoots: []string{string(authorities[1].PEM)},
		Nodes: []v1alpha1.RecordNode{{Name: "peer0-" + member, Role: v1alpha1.RolePeer, Port: v1alpha1.PortPeer}},
	})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := statement.Sign(key.PrivateKey.(crypto.Signer), string(pair.Certificate), unsigned, statement.Content)
	if err != nil {
		t.Fatal(err)
	}
	return string(authorities[0].PEM), &signed, string(authorities[1].PEM)
}

// setMember has the host show a root and a record as org2's.
func setMember(t *testing.T, host *cluster, key client.ObjectKey, root string, record *v1alpha1.StatementSpec) {
	t.Helper()
	object := statements.Object(*record, v1alpha1.StatementsNamespace("trade"))
	if err := host.Create(context.Background(), object); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	var plan v1alpha1.MemberPlan
	if err := host.Get(context.Background(), key, &plan); err != nil {
		t.Fatal(err)
	}
	before := client.MergeFrom(plan.DeepCopy())
	plan.Spec.Members[1].Root, plan.Spec.Members[1].Record = root, statement.Digest(record)
	if err := host.Patch(context.Background(), &plan, before); err != nil {
		t.Fatal(err)
	}
}

// hasConnection reads how applications connect, and says what is wrong if it does not hold a text.
func hasConnection(own *cluster, cm *corev1.ConfigMap, holds string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := own.Get(ctx, client.ObjectKey{Namespace: "hanse-trade", Name: v1alpha1.ConnectionConfigMap}, cm); err != nil {
			return err
		}
		if text := cm.Data[v1alpha1.ConnectionProfile]; !strings.Contains(text, holds) {
			return fmt.Errorf("it holds no %q: %s", holds, text)
		}
		return nil
	}
}

// checkConnection follows how applications connect: it is written down here, from what the agent has verified. A host that
// shows another root and record for a member changes nothing of it, over a restart of the agent too.
func checkConnection(t *testing.T, host, own *cluster, onHost client.ObjectKey, restart func()) {
	t.Helper()
	ctx := context.Background()
	var cm corev1.ConfigMap
	eventually(t, "how applications connect is written down here", hasConnection(own, &cm, `"grpcs://peer0-org1.hanse-trade:7051"`))
	if missing := cm.Annotations[v1alpha1.AnnotationConnectionMissing]; missing != "org2" || strings.Contains(cm.Data[v1alpha1.ConnectionProfile], "org2") {
		t.Fatalf("org2 has said nothing yet; missing is %q in\n%s", missing, cm.Data[v1alpha1.ConnectionProfile])
	}
	root, record, tlsRoot := newRecord(t, "org2")
	setMember(t, host, onHost, root, record)
	line := func(pem string) string { return strings.Split(pem, "\n")[3] }
	eventually(t, "a member whose record is verified is in it", hasConnection(own, &cm, line(tlsRoot)))
	before := cm.Data[v1alpha1.ConnectionProfile]

	falseRoot, falseRecord, falseTLSRoot := newRecord(t, "org2")
	setMember(t, host, onHost, falseRoot, falseRecord)
	here := client.ObjectKey{Namespace: agentNamespace, Name: onHost.Name}
	refused := hasCondition(own, here, v1alpha1.PlanTrusted, "False", v1alpha1.ReasonRootChanged)
	unchanged := func(when string) {
		t.Helper()
		eventually(t, "another root is refused "+when, refused)
		if err := hasConnection(own, &cm, line(tlsRoot))(ctx); err != nil || cm.Data[v1alpha1.ConnectionProfile] != before || strings.Contains(before, line(falseTLSRoot)) {
			t.Fatalf("%s: a captured host has changed how applications connect (%v) to\n%s", when, err, cm.Data[v1alpha1.ConnectionProfile])
		}
	}
	unchanged("at once")
	restart()
	// A turn of the new process is seen by what it writes again.
	if err := own.Delete(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: "peer0-org2"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the restarted agent has had a turn", func(ctx context.Context) error {
		return own.Get(ctx, client.ObjectKey{Namespace: "hanse-trade", Name: "peer0-org2"}, &corev1.Service{})
	})
	unchanged("after a restart")
	setMember(t, host, onHost, root, record)
	eventually(t, "the member's own root is trusted again", hasCondition(own, here, v1alpha1.PlanTrusted, "True", v1alpha1.ReasonReady))
}
