package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/utils/clock"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
)

// Source provides the gateway's routes.
type Source interface {
	// Watch calls changed with the text of the routes, now and whenever it changes, until ctx ends; not while there is
	// none, nor for a removal: lost routes must not interrupt connections.
	Watch(ctx context.Context, changed func(text []byte)) error
}

// LineReport is the gateway's report of one line in its own cluster: what is passed to the host as well, and Detail, which is
// not for the host. Whoever reads it as v1alpha1.LineReport, as the agent does, cannot pass Detail on.
type LineReport struct {
	v1alpha1.LineReport `json:",inline"`
	// Detail is what the gateway found, and how to fix it; in English, at most 1024 bytes.
	Detail string `json:"detail,omitempty"`
}

// Sink takes this gateway's reports. It keeps those of other replicas apart.
type Sink interface {
	// Report takes the JSON of a routing.Report[LineReport], which replaces the last one.
	Report(ctx context.Context, text []byte) error
	// Withdraw removes the report of a gateway that ends.
	Withdraw(ctx context.Context) error
}

// Options are what a gateway is run with.
type Options struct {
	// InsideAddress, LineAddress and MetricsAddress are where it listens.
	InsideAddress  string
	LineAddress    string
	MetricsAddress string
	// CertDir holds the gateway's own certificate, tls.crt and tls.key.
	CertDir string
	// HelloTimeout bounds the time until a connection has sent its ClientHello.
	HelloTimeout time.Duration
	// LineDialTimeout bounds one attempt to connect over one line; ServiceDialTimeout to a node in this cluster.
	LineDialTimeout    time.Duration
	ServiceDialTimeout time.Duration
	// UserTimeout closes a connection over a line whose far end acknowledges nothing for that long.
	UserTimeout time.Duration
	// HandshakeTimeout bounds the time until TLS application data has passed both ways, from when the connection was
	// forwarded.
	HandshakeTimeout time.Duration
	// IdleTimeout closes a connection without data from either end for that long. A gRPC server sends a keepalive ping to
	// an idle client after two hours at the latest.
	IdleTimeout time.Duration
	// DrainDelay is how long the gateway goes on accepting connections once it is asked to stop: as long as it takes until
	// nobody in the cluster sends it any more.
	DrainDelay time.Duration
	// DrainTimeout is how long connections may continue after that. Then each is closed at its next pause, and after
	// CloseTimeout whether or not there was one.
	DrainTimeout, CloseTimeout time.Duration
	// Limits of each of the two listeners.
	Limits Limits
	// Allow and Deny say which far ends of lines may be dialed; see Access.
	Allow, Deny []string

	// Source and Sink are set by the caller, not by flags.
	Source Source
	Sink   Sink
	// Log and Clock have defaults.
	Log   *slog.Logger
	Clock clock.WithTicker

	// lineAllowed is asked about the IP address of a line's far end once it is resolved. Tests live on loopback.
	lineAllowed func(netip.Addr) error
	access      access // of Allow and Deny
	// pause is how long both ends of a connection are silent when it counts as a pause.
	pause time.Duration
}

// DefaultOptions are what a gateway in a cluster runs with.
func DefaultOptions() Options {
	return Options{
		InsideAddress:      ":8443",
		LineAddress:        ":7443",
		MetricsAddress:     ":9090",
		CertDir:            "/etc/hanse/gateway",
		HelloTimeout:       5 * time.Second,
		LineDialTimeout:    2 * time.Second,
		ServiceDialTimeout: 5 * time.Second,
		UserTimeout:        10 * time.Second,
		HandshakeTimeout:   20 * time.Second,
		IdleTimeout:        150 * time.Minute,
		DrainDelay:         10 * time.Second,
		DrainTimeout:       15 * time.Second,
		CloseTimeout:       5 * time.Second,
		Limits:             Limits{HalfOpen: 1024, HalfOpenPerSource: 256, Connections: 8192, ConnectionsPerSource: 2048},
	}
}

// AddFlags declares the options as flags; what they hold already is the default.
func (o *Options) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.InsideAddress, "inside-address", o.InsideAddress, "Where to take connections from this cluster's pods.")
	f.StringVar(&o.LineAddress, "line-address", o.LineAddress, "Where to take connections from the lines.")
	f.StringVar(&o.MetricsAddress, "metrics-address", o.MetricsAddress, "Where to serve /metrics, /healthz and /readyz.")
	f.StringVar(&o.CertDir, "cert-dir", o.CertDir, "Directory with the gateway's tls.crt and tls.key.")
	f.DurationVar(&o.HelloTimeout, "hello-timeout", o.HelloTimeout, "How long a connection may take to name its destination.")
	f.DurationVar(&o.LineDialTimeout, "line-dial-timeout", o.LineDialTimeout, "How long to try to connect over one line before the next one is tried.")
	f.DurationVar(&o.ServiceDialTimeout, "service-dial-timeout", o.ServiceDialTimeout, "How long to try to connect to a node in this cluster.")
	f.DurationVar(&o.UserTimeout, "user-timeout", o.UserTimeout, "How long the far end of a line may acknowledge nothing before a connection is given up.")
	f.DurationVar(&o.HandshakeTimeout, "handshake-timeout", o.HandshakeTimeout, "How long a connection that is passed on may take until application data has gone both ways.")
	f.DurationVar(&o.IdleTimeout, "idle-timeout", o.IdleTimeout, "How long a connection may be silent, from both ends, before it is closed.")
	f.DurationVar(&o.DrainDelay, "drain-delay", o.DrainDelay, "How long connections are accepted once the gateway is asked to stop.")
	f.DurationVar(&o.DrainTimeout, "drain-timeout", o.DrainTimeout, "How long connections may continue once none is accepted any more.")
	f.DurationVar(&o.CloseTimeout, "close-timeout", o.CloseTimeout, "How long it is then waited for a pause in each connection before it is closed.")
	f.IntVar(&o.Limits.HalfOpen, "max-half-open", o.Limits.HalfOpen, "Connections of a listener that may be without a destination at once; the oldest of the source that has the most gives way.")
	f.IntVar(&o.Limits.HalfOpenPerSource, "max-half-open-per-source", o.Limits.HalfOpenPerSource, "The same from one source: an IPv4 address, or a /64 of IPv6.")
	f.IntVar(&o.Limits.Connections, "max-connections", o.Limits.Connections, "Connections that a listener passes on at once; the last quarter is shared out equally among the sources.")
	f.IntVar(&o.Limits.ConnectionsPerSource, "max-connections-per-source", o.Limits.ConnectionsPerSource, "The same from one source, and half of it from one source to one server name.")
	f.StringArrayVar(&o.Allow, "line-allow", o.Allow, "A CIDR, an IP address or a DNS name (with what lies below it) at which a line may end; may be repeated. Every address when there is none, but for --line-deny and the cluster's own.")
	f.StringArrayVar(&o.Deny, "line-deny", o.Deny, "A CIDR or an IP address at which no line ends, whatever --line-allow says; may be repeated.")
}

// complete sets defaults and fails if something required is missing.
func (o *Options) complete() error {
	if o.Source == nil || o.Sink == nil {
		return errors.New("a gateway needs a Source of routes and a Sink for its reports: set both in its Options")
	}
	d := DefaultOptions()
	o.InsideAddress = cmp.Or(o.InsideAddress, d.InsideAddress)
	o.LineAddress = cmp.Or(o.LineAddress, d.LineAddress)
	o.MetricsAddress = cmp.Or(o.MetricsAddress, d.MetricsAddress)
	o.CertDir = cmp.Or(o.CertDir, d.CertDir)
	o.HelloTimeout = cmp.Or(o.HelloTimeout, d.HelloTimeout)
	o.LineDialTimeout = cmp.Or(o.LineDialTimeout, d.LineDialTimeout)
	o.ServiceDialTimeout = cmp.Or(o.ServiceDialTimeout, d.ServiceDialTimeout)
	o.UserTimeout = cmp.Or(o.UserTimeout, d.UserTimeout)
	o.HandshakeTimeout = cmp.Or(o.HandshakeTimeout, d.HandshakeTimeout)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, d.IdleTimeout)
	o.DrainDelay = cmp.Or(o.DrainDelay, d.DrainDelay)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, d.DrainTimeout)
	o.CloseTimeout = cmp.Or(o.CloseTimeout, d.CloseTimeout)
	o.Limits.HalfOpen = cmp.Or(o.Limits.HalfOpen, d.Limits.HalfOpen)
	o.Limits.HalfOpenPerSource = cmp.Or(o.Limits.HalfOpenPerSource, d.Limits.HalfOpenPerSource)
	o.Limits.Connections = cmp.Or(o.Limits.Connections, d.Limits.Connections)
	o.Limits.ConnectionsPerSource = cmp.Or(o.Limits.ConnectionsPerSource, d.Limits.ConnectionsPerSource)
	if err := o.Limits.check(); err != nil {
		return err
	}
	var err error
	if o.access, err = parseAccess(o.Allow, o.Deny); err != nil {
		return err
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.lineAllowed == nil {
		o.lineAllowed = routing.CheckIP
	}
	o.pause = cmp.Or(o.pause, defaultPause)
	return nil
}
