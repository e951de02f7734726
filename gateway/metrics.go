package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/buildinfo"
)

// Reasons of rejected connections; values of the label reason.
const (
	rejectedNoSNI      = "no_sni"      // a ClientHello without a server name
	rejectedUnknownSNI = "unknown_sni" // a name that is not served in this direction
	rejectedSlowHello  = "slow_hello"  // no whole ClientHello in time
	rejectedTooMany    = "too_many"    // beyond a limit
	rejectedBadTLS     = "bad_tls"     // not TLS at all, or a ClientHello that makes no sense
	rejectedNoHello    = "no_hello"    // closed by the client before a whole ClientHello, as port scans and TCP checks do
	rejectedNoProof    = "no_proof"    // a prober that does not prove to be a member's gateway
	rejectedNoLine     = "no_line"     // no line to the member could be used
	rejectedNoService  = "no_service"  // the node in this cluster does not take connections
)

var rejectReasons = []string{
	rejectedNoSNI, rejectedUnknownSNI, rejectedSlowHello, rejectedTooMany, rejectedBadTLS, rejectedNoHello,
	rejectedNoProof, rejectedNoLine, rejectedNoService,
}

// Reasons for which a forwarded connection is closed; values of the label reason.
const (
	closedSlowHandshake = "slow_handshake" // no application data both ways in time
	closedIdle          = "idle"           // silent from both ends for too long
)

// direction is which way a connection goes; values of the label direction.
type direction string

const (
	inward  direction = "inward"  // from a line to this cluster's nodes
	outward direction = "outward" // from this cluster over a line
	within  direction = "within"  // from this cluster to itself
	probing direction = "probe"   // a far gateway's probe, which ends here
)

var directions = []direction{inward, outward, within, probing}

type metrics struct {
	registry  *prometheus.Registry
	rejected  *prometheus.CounterVec
	closed    *prometheus.CounterVec
	failovers prometheus.Counter
}

func newMetrics(g *gateway) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hanse_gateway_refused_total", Help: "Connections that the gateway rejected, by reason.",
		}, []string{"reason"}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hanse_gateway_closed_total", Help: "Forwarded connections that the gateway closed, by reason.",
		}, []string{"reason"}),
		failovers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hanse_line_failovers_total", Help: "Failovers of a member's traffic from one line to another.",
		}),
	}
	for _, reason := range rejectReasons {
		m.rejected.WithLabelValues(reason)
	}
	for _, reason := range []string{closedSlowHandshake, closedIdle} {
		m.closed.WithLabelValues(reason)
	}
	m.registry.MustRegister(m.rejected, m.closed, m.failovers, &collector{g}, buildinfo.Collector("gateway"))
	return m
}

// collector reads frequently changing values at scrape time, so that the data path counts nothing.
type collector struct{ g *gateway }

var (
	lineUp = prometheus.NewDesc("hanse_line_up",
		"1 if the line is up, 0 if it is down or unknown.", []string{"line", "member"}, nil)
	lineRTT = prometheus.NewDesc("hanse_line_rtt_seconds",
		"Median round trip of the latest probes.", []string{"line", "member"}, nil)
	gatewayConnections = prometheus.NewDesc("hanse_gateway_connections",
		"Connections that are open, by direction.", []string{"direction"}, nil)
	gatewayHalfOpen = prometheus.NewDesc("hanse_gateway_half_open_connections",
		"Connections without an SNI yet, by listener.", []string{"listener"}, nil)
	gatewayAtLimit = prometheus.NewDesc("hanse_gateway_at_limit",
		"1 if the listener has rejected a connection because of a limit in the last minute.", []string{"listener"}, nil)
	gatewayShared = prometheus.NewDesc("hanse_gateway_shared_sources",
		"Source addresses of several members' gateways, whose lines therefore share one limit.", nil, nil)
	lineAtLimit = prometheus.NewDesc("hanse_line_at_limit",
		"1 if a connection from the line's far member was rejected because of a limit in the last minute.", []string{"line", "member"}, nil)
	gatewayBytes = prometheus.NewDesc("hanse_gateway_bytes_total",
		"Bytes received and passed on, both ways of the connections in a direction together.", []string{"direction"}, nil)
)

func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lineUp, lineRTT, lineAtLimit, gatewayConnections, gatewayHalfOpen, gatewayAtLimit, gatewayShared, gatewayBytes} {
		out <- d
	}
}

func (c *collector) Collect(out chan<- prometheus.Metric) {
	now := c.g.o.Clock.Now()
	out <- prometheus.MustNewConstMetric(gatewayShared, prometheus.GaugeValue, float64(c.g.outside.shared()))
	for _, links := range c.g.table.Load().links {
		for _, w := range links {
			out <- prometheus.MustNewConstMetric(lineUp, prometheus.GaugeValue, number(w.State == v1alpha1.LineUp), w.Name, w.Member)
			out <- prometheus.MustNewConstMetric(lineRTT, prometheus.GaugeValue, w.RTT.Seconds(), w.Name, w.Member)
			out <- prometheus.MustNewConstMetric(lineAtLimit, prometheus.GaugeValue, number(c.g.limits.reached(w.Member, now)), w.Name, w.Member)
		}
	}
	for _, d := range directions {
		open, bytes := c.g.flows.count(d)
		out <- prometheus.MustNewConstMetric(gatewayConnections, prometheus.GaugeValue, float64(open), string(d))
		if d != probing {
			out <- prometheus.MustNewConstMetric(gatewayBytes, prometheus.CounterValue, float64(bytes), string(d))
		}
	}
	for name, a := range map[string]*admission{"inside": c.g.inside, "line": c.g.outside} {
		_, half := a.counts()
		out <- prometheus.MustNewConstMetric(gatewayHalfOpen, prometheus.GaugeValue, float64(half), name)
		out <- prometheus.MustNewConstMetric(gatewayAtLimit, prometheus.GaugeValue, number(c.g.limits.listener(a, now)), name)
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
