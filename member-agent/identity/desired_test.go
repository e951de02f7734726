package identity

import (
	"slices"
	"testing"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

func certificates(t *testing.T, o Options, identities ...ledger.Identity) map[string]*certmanager.Certificate {
	t.Helper()
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade", Namespace: "hanse-trade"}}
	found := map[string]*certmanager.Certificate{}
	objects := append(Organization(o), Authorities(plan)...)
	for _, a := range authorities {
		objects = append(objects, Certificates(plan, a, identities)...)
	}
	for _, obj := range objects {
		if c, ok := obj.(*certmanager.Certificate); ok {
			found[c.Name] = c
		}
	}
	return found
}

// Whatever is certified keeps its key: a consenter is known by it, and a root is pinned.
func TestKeysAreKept(t *testing.T) {
	all := certificates(t, Options{Member: "org1", Namespace: "hanse-system"}, ledger.Identity{Name: "orderer0-org1-tls", Authority: ledger.TLSAuthority})
	if len(all) != 7 {
		t.Fatalf("a root, three authorities, the agent, the gateway and one identity: got %d", len(all))
	}
	for name, c := range all {
		if k := c.Spec.PrivateKey; k.RotationPolicy != certmanager.RotationPolicyNever || k.Algorithm != certmanager.ECDSAKeyAlgorithm || k.Size != 256 || k.Encoding != certmanager.PKCS8 {
			t.Errorf("%s has %+v", name, k)
		}
		if c.Spec.SecretTemplate.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
			t.Errorf("%s: without the label the agent does not see the Secret", name)
		}
	}
}

func TestIdentity(t *testing.T) {
	all := certificates(t, Options{Member: "org1", Namespace: "hanse-system"},
		ledger.Identity{Name: "msp", Authority: ledger.IdentityAuthority, CommonName: "peer0-org1", OrganizationalUnits: []string{"peer"}},
		ledger.Identity{Name: "tls", Authority: ledger.TLSAuthority, Server: true, Client: true, DNSNames: []string{"a"}, IPAddresses: []string{"10.0.0.1"}},
	)
	msp, tls := all["msp"].Spec, all["tls"].Spec
	if msp.IssuerRef.Name != "identity-ca" || msp.Subject.OrganizationalUnits[0] != "peer" || len(msp.Usages) != 1 || msp.Usages[0] != certmanager.UsageDigitalSignature {
		t.Errorf("a ledger identity is only to sign: %+v", msp)
	}
	if tls.IssuerRef.Name != "tls-ca" || len(tls.Usages) != 3 || tls.IPAddresses[0] != "10.0.0.1" || tls.DNSNames[0] != "a" {
		t.Errorf("got %+v", tls)
	}
}

// Before an authority is there, nothing is asked of it.
func TestAuthoritiesComeFirst(t *testing.T) {
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade", Namespace: "hanse-trade"}}
	identities := []ledger.Identity{{Name: "msp", Authority: ledger.IdentityAuthority}, {Name: "tls", Authority: ledger.TLSAuthority}}
	for _, row := range []struct {
		why     string
		objects []client.Object
		names   []string
	}{
		{"the authorities have nobody above them", Authorities(plan), []string{"hanse-selfsigned", "identity-ca", "tls-ca", "operator-ca"}},
		{"an issuer and what it issues", Certificates(plan, ledger.IdentityAuthority, identities), []string{"identity-ca", "msp"}},
		{"and nothing of the other", Certificates(plan, ledger.TLSAuthority, identities), []string{"tls-ca", "tls"}},
	} {
		var names []string
		for _, o := range row.objects {
			names = append(names, o.GetName())
		}
		if !slices.Equal(names, row.names) {
			t.Errorf("%s: %v", row.why, names)
		}
	}
}

// An organization that has a CA gets no second root.
func TestOwnIssuer(t *testing.T) {
	all := certificates(t, Options{Member: "org1", Namespace: "hanse-system", Issuer: Issuer{Name: "corp", Kind: "ClusterIssuer", Group: "cert-manager.io"}})
	if all[RootSecret] != nil {
		t.Error("a root is made all the same")
	}
	for _, name := range []string{AgentSecret, GatewaySecret} {
		if ref := all[name].Spec.IssuerRef; ref.Name != "corp" || ref.Kind != "ClusterIssuer" {
			t.Errorf("%s is issued by %+v", name, ref)
		}
	}
}
