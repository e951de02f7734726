package membership

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// requestor is who created a CertificateSigningRequest, by the user name that the API server has authenticated.
type requestor struct {
	member string
	// invited is set for the invitation's ServiceAccount, and not for the Member's own credential.
	invited bool
}

// requestorOf is the Member of an agent's user name; not ok for other users.
func requestorOf(username string) (requestor, bool) {
	if rest, ok := strings.CutPrefix(username, v1alpha1.MemberUser("")); ok {
		name, key, ok := strings.Cut(rest, ":")
		return requestor{member: name}, ok && name != "" && key != ""
	}
	if rest, ok := strings.CutPrefix(username, "system:serviceaccount:"+v1alpha1.MemberNamespace("")); ok {
		if name, ok := strings.CutSuffix(rest, ":"+v1alpha1.InviteServiceAccount); ok && name != "" && !strings.Contains(name, ":") {
			return requestor{member: name, invited: true}, true
		}
	}
	return requestor{}, false
}

// decision is the decision on a request.
type decision struct {
	// denied says why it is denied and how to fix it; empty if it is approved.
	denied string
	// alreadyRegistered is set if it is denied because another agent is registered.
	alreadyRegistered bool
	// register is the fingerprint to register before the approval; empty if it is registered already.
	register string
}

// RequestHash identifies a request as its agent does: the hex SHA-256 of its spec.request.
func RequestHash(csr *certificatesv1.CertificateSigningRequest) string {
	sum := sha256.Sum256(csr.Spec.Request)
	return hex.EncodeToString(sum[:])
}

// nextRegistration is a Member's registration after a request is approved: for the registered key, or for a new one that
// replaces it. It is unchanged if the request is recorded already. Pure.
func nextRegistration(member *v1alpha1.Member, register, hash string, now time.Time) *v1alpha1.MemberRegistration {
	at := metav1.NewTime(now.Truncate(time.Second))
	next := &v1alpha1.MemberRegistration{Invitation: member.Spec.Invitation, KeyFingerprint: register, Time: at}
	if register == "" {
		next = member.Status.Registration.DeepCopy()
	}
	if slices.Contains(next.Requests, hash) {
		return next
	}
	next.Issued++
	next.LastIssued = at
	next.Requests = append(next.Requests, hash)
	next.Requests = next.Requests[max(0, len(next.Requests)-v1alpha1.MaxIssuedRequests):]
	return next
}

func deny(format string, args ...any) decision { return decision{denied: fmt.Sprintf(format, args...)} }

// validateRequest decides on an agent's request. member and account, the invitation's ServiceAccount, are nil if they do not
// exist. Pure.
func validateRequest(csr *certificatesv1.CertificateSigningRequest, who requestor, member *v1alpha1.Member, account *corev1.ServiceAccount, now time.Time) decision {
	fingerprint, problem := validateCSR(csr, who.member)
	switch {
	case problem != "":
		return deny("%s", problem)
	case member == nil || !member.DeletionTimestamp.IsZero():
		return deny("there is no Member %s on this host: ask its operators to create it", who.member)
	case who.invited:
		return validateInvited(csr, member, account, fingerprint, now)
	}
	registration := member.Status.Registration
	if registration == nil || registration.KeyFingerprint != fingerprint {
		return decision{alreadyRegistered: true, denied: fmt.Sprintf("only the key that is registered for member %s (%s) can have its credential renewed, this one is %s: renew with the same key, or ask the host's operators for a new invitation (kubectl hanse invite %s)",
			member.Name, registeredKey(member), fingerprint, member.Name)}
	}
	return decision{}
}

// validateInvited decides on a request that was created with an invitation's token: one key for each invitation.
func validateInvited(csr *certificatesv1.CertificateSigningRequest, member *v1alpha1.Member, account *corev1.ServiceAccount, fingerprint string, now time.Time) decision {
	remedy := fmt.Sprintf("ask the host's operators for a new invitation (kubectl hanse invite %s)", member.Name)
	valid := account != nil && csr.Spec.UID == string(account.UID) && member.Spec.Invitation != "" &&
		account.Annotations[v1alpha1.AnnotationInvitation] == member.Spec.Invitation
	switch {
	case !valid:
		return deny("this invitation to member %s is no longer valid: %s", member.Name, remedy)
	case isUsed(member) && member.Status.Registration.KeyFingerprint == fingerprint:
		return decision{}
	case isUsed(member):
		return decision{alreadyRegistered: true, denied: fmt.Sprintf("another agent has used this invitation to member %s already, with the key %s: if that key is not yours, somebody else has the invitation; %s",
			member.Name, registeredKey(member), remedy)}
	case expired(member, now):
		return deny("this invitation to member %s has expired: %s", member.Name, remedy)
	}
	return decision{register: fingerprint}
}

func registeredKey(member *v1alpha1.Member) string {
	if member.Status.Registration == nil {
		return "none so far"
	}
	return member.Status.Registration.KeyFingerprint
}

// validateCSR checks that a request is for a Member's credential and nothing else, and returns its key's fingerprint.
func validateCSR(csr *certificatesv1.CertificateSigningRequest, member string) (fingerprint, problem string) {
	block, rest := pem.Decode(csr.Spec.Request)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(strings.TrimSpace(string(rest))) > 0 {
		return "", "the request is not one PEM block of type CERTIFICATE REQUEST"
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return "", "the request cannot be parsed: " + err.Error()
	}
	if err := request.CheckSignature(); err != nil {
		return "", "the request is not signed with its own key: " + err.Error()
	}
	fingerprint = Fingerprint(request.RawSubjectPublicKeyInfo)
	if user := v1alpha1.MemberKeyUser(member, fingerprint); request.Subject.CommonName != user {
		return "", fmt.Sprintf("an agent of member %s with this key can ask for the name %s only, not for %.64q", member, user, request.Subject.CommonName)
	}
	if !slices.Equal(request.Subject.Organization, []string{v1alpha1.MembersGroup}) {
		return "", fmt.Sprintf("the subject's organization must be %s and nothing else", v1alpha1.MembersGroup)
	}
	if len(request.DNSNames)+len(request.IPAddresses)+len(request.EmailAddresses)+len(request.URIs) > 0 {
		return "", "a member's credential has no alternative names: leave them out"
	}
	if problem := validateUsage(csr, request.PublicKey); problem != "" {
		return "", problem
	}
	return fingerprint, ""
}

// validateUsage checks a request's usages, lifetime and kind of key.
func validateUsage(csr *certificatesv1.CertificateSigningRequest, key any) string {
	client := false
	for _, usage := range csr.Spec.Usages {
		switch usage {
		case certificatesv1.UsageClientAuth:
			client = true
		case certificatesv1.UsageDigitalSignature, certificatesv1.UsageKeyEncipherment:
		default:
			return fmt.Sprintf("a member's credential is not for %q: ask for client auth and digital signature", usage)
		}
	}
	if !client {
		return "a member's credential is for client auth: ask for that"
	}
	if seconds := csr.Spec.ExpirationSeconds; seconds == nil || *seconds > v1alpha1.MaxCredentialSeconds {
		return fmt.Sprintf("a member's credential is valid for %d seconds at the most: set spec.expirationSeconds", v1alpha1.MaxCredentialSeconds)
	}
	switch k := key.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return "an RSA key must have at least 2048 bits: generate a new key, preferably ECDSA"
		}
	default:
		return "the key must be ECDSA, Ed25519 or RSA: generate a new key"
	}
	return ""
}

// Fingerprint is the hex SHA-256 of a public key (SubjectPublicKeyInfo, DER).
func Fingerprint(publicKeyInfo []byte) string {
	sum := sha256.Sum256(publicKeyInfo)
	return hex.EncodeToString(sum[:])
}
