//go:build integration

package identity

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/statement"
)

// TestBareKeys has keys made at home on a real API server: once, whatever happens later, with the public part to show.
func TestBareKeys(t *testing.T) {
	env, _, c, err := testcluster.StartWithCRDs("../../charts/member-agent/crds", corev1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade", Namespace: "hanse-trade"}}
	if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-trade"}}); err != nil {
		t.Fatal(err)
	}
	identities := []ledger.Identity{
		{Name: "archive0-org1-key", Kind: ledger.IdentityEd25519, Node: "archive0-org1", Publish: true},
		{Name: "agent-key", Kind: ledger.IdentityEd25519},
		{Name: "organization-key", Kind: ledger.IdentityEd25519, Publish: true},
		{Name: "certified", Authority: ledger.TLSAuthority, Optional: true},
	}
	phase := &Phase{Keys: c}
	read := func() Issued {
		t.Helper()
		if err := phase.makeKeys(t.Context(), c, plan, identities); err != nil {
			t.Fatal(err)
		}
		issued := Issued{Published: map[string]string{}, PublicKeys: map[string]string{}, Digests: map[string]string{}}
		missing, err := issued.read(t.Context(), c, "hanse-trade", identities)
		if err != nil || len(missing) > 0 {
			t.Fatalf("missing %v: %v", missing, err)
		}
		return issued
	}
	first, second := read(), read()
	if got := first.PublicKeys["archive0-org1"]; !strings.Contains(got, "PUBLIC KEY") || len(first.PublicKeys) != 1 || len(first.Published) != 0 {
		t.Errorf("the others are shown %v and %v", first.PublicKeys, first.Published)
	}
	if got := first.IdentityKeys; len(got) != 1 || got[0] == first.PublicKeys["archive0-org1"] {
		t.Errorf("the organization itself is known by %v", got)
	}
	for _, text := range append(first.IdentityKeys, first.PublicKeys["archive0-org1"]) {
		if key, err := statement.ParsePublicKey(text); err != nil || key.Kind != string(ledger.IdentityEd25519) {
			t.Errorf("the others do not take %q: %v", text, err)
		}
	}
	if first.PublicKeys["archive0-org1"] != second.PublicKeys["archive0-org1"] || first.Digests["agent-key"] != second.Digests["agent-key"] {
		t.Error("a key that is there was made again")
	}
	var secret corev1.Secret
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "hanse-trade", Name: "archive0-org1-key"}, &secret); err != nil {
		t.Fatal(err)
	}
	if secret.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy || secret.Labels[v1alpha1.LabelNode] != "archive0-org1" {
		t.Errorf("without its labels the agent does not see the Secret: %v", secret.Labels)
	}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "hanse-trade", Name: "certified"}, &secret); err == nil {
		t.Error("a certificate was made without its authority")
	}
}
