package identity

import (
	"time"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Names of the organization's own Certificates, and of their Secrets, in the agent's namespace.
const (
	RootSecret    = "hanse-root"
	AgentSecret   = "hanse-agent"
	GatewaySecret = "hanse-gateway"

	selfSigned = "hanse-selfsigned"
)

const (
	year = 365 * 24 * time.Hour
	// authorityLife is how long a CA lives. Its key never changes, for the others have pinned it.
	authorityLife = 10 * year
	// leafLife is how long any other certificate lives, and renewBefore when it is renewed.
	leafLife    = year
	renewBefore = 30 * 24 * time.Hour
)

// Options of the Phase.
type Options struct {
	Member string
	// Namespace of the agent.
	Namespace string
	// Issuer that vouches for the agent and the gateway instead of a root of Hanse's own: an Issuer in the agent's
	// namespace or a ClusterIssuer, for an organization that has a CA already. No such issuer when its name is empty.
	Issuer Issuer
}

// Issuer names one of cert-manager's issuers.
type Issuer struct{ Name, Kind, Group string }

// Organization lists what makes the organization's root, and the agent's and the gateway's certificates.
func Organization(o Options) []client.Object {
	labels := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelMember: o.Member}
	var objects []client.Object
	issuer := cmmeta.IssuerReference{Name: o.Issuer.Name, Kind: o.Issuer.Kind, Group: o.Issuer.Group}
	if issuer.Name == "" {
		issuer = cmmeta.IssuerReference{Kind: certmanager.IssuerKind, Name: RootSecret}
		objects = append(objects,
			selfSignedIssuer(o.Namespace, selfSigned, labels),
			authority(o.Namespace, RootSecret, "hanse root "+o.Member, o.Member, selfSigned, labels),
			caIssuer(o.Namespace, RootSecret, labels),
		)
	}
	for _, name := range []struct{ secret, host string }{
		{AgentSecret, v1alpha1.AgentServerName(o.Member)},
		{GatewaySecret, v1alpha1.GatewayServerName(o.Member)},
	} {
		objects = append(objects, leaf(o.Namespace, name.secret, labels, issuer, certmanager.CertificateSpec{
			DNSNames: []string{name.host},
			Usages:   []certmanager.KeyUsage{certmanager.UsageDigitalSignature, certmanager.UsageServerAuth, certmanager.UsageClientAuth},
		}))
	}
	return objects
}

// authorities are those that Hanse makes for every consortium.
var authorities = []ledger.Authority{ledger.IdentityAuthority, ledger.TLSAuthority, ledger.OperatorAuthority}

// Authorities lists what makes the authorities of one plan.
func Authorities(plan *v1alpha1.MemberPlan) []client.Object {
	namespace, labels := plan.Spec.Namespace, labelsOf(plan)
	objects := []client.Object{selfSignedIssuer(namespace, selfSigned, labels)}
	for _, a := range authorities {
		commonName, organization := ledger.AuthoritySubject(a, plan.Spec.Consortium, plan.Spec.Member)
		objects = append(objects, authority(namespace, AuthorityName(a), commonName, organization, selfSigned, labels))
	}
	return objects
}

// Certificates lists what an authority of one plan is to issue, once there is such an authority: cert-manager is
// slower with an Issuer that it first finds without a key, and with requests that it first finds without an Issuer, than
// it is with all of them in turn.
func Certificates(plan *v1alpha1.MemberPlan, authority ledger.Authority, identities []ledger.Identity) []client.Object {
	labels := labelsOf(plan)
	objects := []client.Object{caIssuer(plan.Spec.Namespace, AuthorityName(authority), labels)}
	for _, id := range identities {
		if id.IsCertificate() && id.Authority == authority {
			objects = append(objects, identityCertificate(plan, id, labels))
		}
	}
	return objects
}

func labelsOf(plan *v1alpha1.MemberPlan) map[string]string {
	return map[string]string{
		v1alpha1.LabelManagedBy:  v1alpha1.ManagedBy,
		v1alpha1.LabelMember:     plan.Spec.Member,
		v1alpha1.LabelConsortium: plan.Spec.Consortium,
	}
}

// AuthorityName is the name of an authority's Certificate, Secret and Issuer.
func AuthorityName(a ledger.Authority) string { return string(a) + "-ca" }

func identityCertificate(plan *v1alpha1.MemberPlan, id ledger.Identity, labels map[string]string) *certmanager.Certificate {
	own := map[string]string{}
	for k, v := range labels {
		own[k] = v
	}
	if id.Node != "" {
		own[v1alpha1.LabelNode] = id.Node
	}
	usages := []certmanager.KeyUsage{certmanager.UsageDigitalSignature}
	if id.Server {
		usages = append(usages, certmanager.UsageServerAuth)
	}
	if id.Client {
		usages = append(usages, certmanager.UsageClientAuth)
	}
	spec := certmanager.CertificateSpec{
		CommonName:  id.CommonName,
		DNSNames:    id.DNSNames,
		IPAddresses: id.IPAddresses,
		Usages:      usages,
		Subject:     &certmanager.X509Subject{Organizations: []string{plan.Spec.Member}, OrganizationalUnits: id.OrganizationalUnits},
	}
	issuer := cmmeta.IssuerReference{Kind: certmanager.IssuerKind, Name: AuthorityName(id.Authority)}
	return leaf(plan.Spec.Namespace, id.Name, own, issuer, spec)
}

// leaf completes a certificate of an agent, a gateway or a node. It is renewed with the same key: by an orderer's TLS
// key the other orderers know it, and a new one would put it out of the channels.
func leaf(namespace, name string, labels map[string]string, issuer cmmeta.IssuerReference, spec certmanager.CertificateSpec) *certmanager.Certificate {
	spec.Duration = &metav1.Duration{Duration: leafLife}
	spec.RenewBefore = &metav1.Duration{Duration: renewBefore}
	return certificate(namespace, name, labels, issuer, spec)
}

func authority(namespace, name, commonName, organization, issuer string, labels map[string]string) *certmanager.Certificate {
	return certificate(namespace, name, labels, cmmeta.IssuerReference{Kind: certmanager.IssuerKind, Name: issuer}, certmanager.CertificateSpec{
		IsCA:       true,
		CommonName: commonName,
		Subject:    &certmanager.X509Subject{Organizations: []string{organization}},
		Duration:   &metav1.Duration{Duration: authorityLife},
		Usages:     []certmanager.KeyUsage{certmanager.UsageDigitalSignature, certmanager.UsageCertSign, certmanager.UsageCRLSign},
	})
}

func certificate(namespace, name string, labels map[string]string, issuer cmmeta.IssuerReference, spec certmanager.CertificateSpec) *certmanager.Certificate {
	spec.SecretName = name
	spec.SecretTemplate = &certmanager.CertificateSecretTemplate{Labels: labels}
	spec.IssuerRef = issuer
	spec.RevisionHistoryLimit = ptr.To(int32(1))
	spec.PrivateKey = &certmanager.CertificatePrivateKey{
		Algorithm:      certmanager.ECDSAKeyAlgorithm,
		Size:           256,
		Encoding:       certmanager.PKCS8,
		RotationPolicy: certmanager.RotationPolicyNever,
	}
	return &certmanager.Certificate{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       spec,
	}
}

func selfSignedIssuer(namespace, name string, labels map[string]string) *certmanager.Issuer {
	return &certmanager.Issuer{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       certmanager.IssuerSpec{IssuerConfig: certmanager.IssuerConfig{SelfSigned: &certmanager.SelfSignedIssuer{}}},
	}
}

func caIssuer(namespace, name string, labels map[string]string) *certmanager.Issuer {
	return &certmanager.Issuer{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       certmanager.IssuerSpec{IssuerConfig: certmanager.IssuerConfig{CA: &certmanager.CAIssuer{SecretName: name}}},
	}
}
