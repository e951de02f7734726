package host

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// errUnauthorized says that the host does not accept the credential any more.
var errUnauthorized = errors.New("the host does not accept the agent's credential any more")

// connection is one session with the host: it lasts until the credential is renewed or rejected.
type connection struct {
	client       client.Client
	plans        planReader
	close        func()
	unauthorized chan struct{}
	rejectedOnce atomic.Bool
	published    publishedNames
	absent       absence
	definitions  definitionCache
}

// connect builds clients for the host, and for the plans in the member's own namespace there.
func connect(c *credential, namespace string, scheme *runtime.Scheme) (*connection, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for the host at %s: %w", config.Host, err)
	}
	conn := &connection{unauthorized: make(chan struct{}), close: transport.CloseIdleConnections}
	conn.client, err = client.New(config, client.Options{Scheme: scheme, Mapper: hostMapper(), HTTPClient: transport})
	if err != nil {
		return nil, fmt.Errorf("make a client for the host at %s: %w", config.Host, err)
	}
	if conn.plans, err = newPlanReader(config, transport, scheme, namespace); err != nil {
		return nil, err
	}
	return conn, nil
}

// checkUnauthorized ends the session if an error means that the host rejects the credential.
func (c *connection) checkUnauthorized(err error) {
	if apierrors.IsUnauthorized(err) && c.rejectedOnce.CompareAndSwap(false, true) {
		close(c.unauthorized)
	}
}

// directClient reads and writes without a cache.
func directClient(config *rest.Config, scheme *runtime.Scheme) (client.Client, error) {
	c, err := client.New(config, client.Options{Scheme: scheme, Mapper: hostMapper()})
	if err != nil {
		return nil, fmt.Errorf("make a client for the host at %s: %w", config.Host, err)
	}
	return c, nil
}

// hostMapper has the few kinds that the agent uses on the host: API discovery would cost requests, and fail while the
// host is unreachable.
func hostMapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion})
	m.Add(v1alpha1.GroupVersion.WithKind("Member"), meta.RESTScopeRoot)
	m.Add(v1alpha1.GroupVersion.WithKind("MemberPlan"), meta.RESTScopeNamespace)
	m.Add(v1alpha1.GroupVersion.WithKind("Statement"), meta.RESTScopeNamespace)
	m.Add(v1alpha1.GroupVersion.WithKind("ConsortiumDefinition"), meta.RESTScopeNamespace)
	m.Add(coordinationv1.SchemeGroupVersion.WithKind("Lease"), meta.RESTScopeNamespace)
	m.Add(certificatesv1.SchemeGroupVersion.WithKind("CertificateSigningRequest"), meta.RESTScopeRoot)
	return m
}

// backoff is the delay before the n-th try: doubling from one second to one minute.
func backoff(n int) time.Duration {
	return min(time.Second<<min(n, 6), time.Minute)
}
