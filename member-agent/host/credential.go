package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Names of the Secrets in the agent's own namespace, and of their keys.
const (
	// BootstrapSecret is created by `kubectl hanse invite`: the host's address, and a token for one use.
	BootstrapSecret = "hanse-bootstrap"
	// CredentialSecret is where the agent keeps its key and the certificate that the host has given it.
	CredentialSecret = "hanse-host-credential"

	keyServer    = "server"
	keyAuthority = "ca.crt"
	keyToken     = "token"
	// keyInvitation is the hash of the token that the credential was requested with, so that a new invitation is
	// distinguished from the used one.
	keyInvitation = "invitation"
	// keyRequests are the hashes of the requests that were made for the key, one a line, the newest last.
	keyRequests = "requests"
	// nextPrefix is the prefix of the keys of a credential that was requested and has not been verified yet. The previous one
	// stays until then.
	nextPrefix = "next-"
)

// errNoInvitation: there is neither a credential nor an invitation.
var errNoInvitation = errors.New("there is no credential for the host and no invitation: run `kubectl hanse invite` on the host and install the agent with what it prints")

// invitation is what the organization was handed by the host.
type invitation struct {
	server    string
	authority []byte
	token     string
}

// hash identifies the invitation without its token.
func (i invitation) hash() string {
	if i.token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("hanse-invitation\n" + i.token))
	return hex.EncodeToString(sum[:])
}

// credential is the agent's own access to the host.
type credential struct {
	server      string
	authority   []byte
	key         *ecdsa.PrivateKey
	certificate []byte
	// invitation is the hash of the invitation that the key was made for.
	invitation string
	// requests that were made for the key.
	requests *requestLog
}

// requestLog is the hex SHA-256 of the requests for certificates that were made for a key, the newest last. Every credential
// with that key shares it.
type requestLog struct {
	mu     sync.Mutex
	hashes []string
}

func (r *requestLog) add(hash string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hashes = append(r.hashes, hash)
	r.hashes = slices.Clone(r.hashes[max(0, len(r.hashes)-v1alpha1.MaxAgentRequests):])
}

func (r *requestLog) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.hashes)
}

// leaf is the certificate, or nil while the host has not issued one.
func (c *credential) leaf() *x509.Certificate {
	block, _ := pem.Decode(c.certificate)
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return cert
}

// valid says whether the host should still accept the credential.
func (c *credential) valid(now time.Time) bool {
	leaf := c.leaf()
	return leaf != nil && now.Before(leaf.NotAfter)
}

// renewAt is when the credential has lived for 70 % of its time.
func (c *credential) renewAt() time.Time {
	leaf := c.leaf()
	if leaf == nil {
		return time.Time{}
	}
	return leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) * 7 / 10)
}

// fingerprint is the hex SHA-256 of the public key, by which the host knows the agent again.
func (c *credential) fingerprint() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&c.key.PublicKey)
	if err != nil {
		return "", fmt.Errorf("encode the agent's public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}

// config is how a client uses the credential. The client's own rate limit is off: the host has priority and fairness,
// and a burst of plans must not queue here.
func (c *credential) config() (*rest.Config, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return nil, fmt.Errorf("encode the agent's key: %w", err)
	}
	return bounded(&rest.Config{
		Host: c.server,
		QPS:  -1,
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   c.authority,
			CertData: c.certificate,
			KeyData:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		},
		UserAgent: "hanse-member-agent",
	}), nil
}

// config is how the invitation's token is used, to ask for a credential.
func (i invitation) config() *rest.Config {
	return bounded(&rest.Config{
		Host:            i.server,
		QPS:             -1,
		BearerToken:     i.token,
		TLSClientConfig: rest.TLSClientConfig{CAData: i.authority},
		UserAgent:       "hanse-member-agent",
		Timeout:         30 * time.Second,
	})
}

func newCredential(i invitation) (*credential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the agent's key: %w", err)
	}
	return &credential{key: key, invitation: i.hash(), requests: &requestLog{}}, nil
}

// store keeps invitation and credential in Secrets of the agent's own namespace.
type store struct {
	reader    client.Reader
	writer    client.Client
	namespace string
}

func (s store) invitation(ctx context.Context) (invitation, error) {
	var secret corev1.Secret
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: BootstrapSecret}, &secret)
	if apierrors.IsNotFound(err) {
		return invitation{}, nil
	}
	if err != nil {
		return invitation{}, fmt.Errorf("read Secret %s: %w", BootstrapSecret, err)
	}
	return invitation{
		server:    string(secret.Data[keyServer]),
		authority: secret.Data[keyAuthority],
		token:     string(secret.Data[keyToken]),
	}, nil
}

// storedCredentials are the agent's credentials.
type storedCredentials struct {
	// current is the one that was used last, next one that was requested and has not been verified yet; nil for none.
	current, next *credential
}

// load reads the stored credentials.
func (s store) load(ctx context.Context) (storedCredentials, error) {
	var secret corev1.Secret
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: CredentialSecret}, &secret)
	if apierrors.IsNotFound(err) {
		return storedCredentials{}, nil
	}
	if err != nil {
		return storedCredentials{}, fmt.Errorf("read Secret %s: %w", CredentialSecret, err)
	}
	return storedCredentials{current: decodeCredential(secret.Data, ""), next: decodeCredential(secret.Data, nextPrefix)}, nil
}

// decodeCredential is nil when there is none that can be read.
func decodeCredential(data map[string][]byte, prefix string) *credential {
	key, err := parseKey(data[prefix+corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil
	}
	return &credential{
		server:      string(data[prefix+keyServer]),
		authority:   data[prefix+keyAuthority],
		key:         key,
		certificate: data[prefix+corev1.TLSCertKey],
		invitation:  string(data[prefix+keyInvitation]),
		requests:    &requestLog{hashes: strings.Fields(string(data[prefix+keyRequests]))},
	}
}

func encodeCredential(c *credential, prefix string, data map[string][]byte) error {
	if c == nil {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return fmt.Errorf("encode the agent's key: %w", err)
	}
	maps.Copy(data, map[string][]byte{
		prefix + keyServer:               []byte(c.server),
		prefix + keyAuthority:            c.authority,
		prefix + keyInvitation:           []byte(c.invitation),
		prefix + keyRequests:             []byte(strings.Join(c.requests.list(), "\n")),
		prefix + corev1.TLSCertKey:       c.certificate,
		prefix + corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	})
	return nil
}

// save stores both credentials, in one write.
func (s store) save(ctx context.Context, h storedCredentials) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.namespace,
			Name:      CredentialSecret,
			Labels:    map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
		},
		Data: map[string][]byte{},
	}
	if err := errors.Join(encodeCredential(h.current, "", secret.Data), encodeCredential(h.next, nextPrefix, secret.Data)); err != nil {
		return err
	}
	err := s.writer.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		err = s.writer.Update(ctx, secret)
	}
	if err != nil {
		return fmt.Errorf("write Secret %s: %w", CredentialSecret, err)
	}
	return nil
}

// deleteToken deletes the used token from the bootstrap Secret.
func (s store) deleteToken(ctx context.Context) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: BootstrapSecret}}
	err := s.writer.Patch(ctx, secret, client.RawPatch(types.MergePatchType, []byte(`{"data":{"`+keyToken+`":null}}`)))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the used token from Secret %s: %w", BootstrapSecret, err)
	}
	return nil
}

func parseKey(raw []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an ECDSA key")
	}
	return key, nil
}

// matches says whether the certificate is for the credential's own key.
func (c *credential) matches(certificate []byte) bool {
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return false
	}
	_, err = tls.X509KeyPair(certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return err == nil
}
