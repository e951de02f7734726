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

// errRejected says that the host does not accept the credential any more.
var errRejected = errors.New("the host does not accept the agent's credential any more")

// connection is one spell of being connected to the host: it lasts until the credential is renewed or rejected.
type connection struct {
	client   client.Client
	plans    planReader
	close    func()
	rejected chan struct{}
	once     atomic.Bool
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
	conn := &connection{rejected: make(chan struct{}), close: transport.CloseIdleConnections}
	conn.client, err = client.New(config, client.Options{Scheme: scheme, Mapper: hostMapper(), HTTPClient: transport})
	if err != nil {
		return nil, fmt.Errorf("make a client for the host at %s: %w", config.Host, err)
	}
	if conn.plans, err = newPlanReader(config, transport, scheme, namespace); err != nil {
		return nil, err
	}
	return conn, nil
}

// notice looks whether an error means that the credential is of no use any more.
func (c *connection) notice(err error) {
	if apierrors.IsUnauthorized(err) && c.once.CompareAndSwap(false, true) {
		close(c.rejected)
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

// hostMapper knows the few kinds that the agent deals with on the host, so that it never has to ask for the others:
// discovery would cost requests, and fail while the host is away.
func hostMapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion})
	m.Add(v1alpha1.GroupVersion.WithKind("Member"), meta.RESTScopeRoot)
	m.Add(v1alpha1.GroupVersion.WithKind("MemberPlan"), meta.RESTScopeNamespace)
	m.Add(coordinationv1.SchemeGroupVersion.WithKind("Lease"), meta.RESTScopeNamespace)
	m.Add(certificatesv1.SchemeGroupVersion.WithKind("CertificateSigningRequest"), meta.RESTScopeRoot)
	return m
}

// delays is how long to wait before the n-th try: doubling from one second to one minute.
func delay(n int) time.Duration {
	return min(time.Second<<min(n, 6), time.Minute)
}
