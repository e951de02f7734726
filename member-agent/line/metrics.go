package line

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Reasons for which a connection is refused; values of the label reason.
const (
	refusedNoSNI      = "no_sni"      // a ClientHello without a server name
	refusedUnknownSNI = "unknown_sni" // a name that is not served in this direction
	refusedSlowHello  = "slow_hello"  // no whole ClientHello in time
	refusedTooMany    = "too_many"    // beyond a limit
	refusedBadTLS     = "bad_tls"     // not TLS at all, or a ClientHello that makes no sense
	refusedNoHello    = "no_hello"    // closed by the client before a whole ClientHello, as port scans and TCP checks do
	refusedNoProof    = "no_proof"    // a prober that does not prove to be a member's gateway
	refusedNoLine     = "no_line"     // no line to the member could be used
	refusedNoService  = "no_service"  // the node in this cluster does not take connections
)

var refusals = []string{
	refusedNoSNI, refusedUnknownSNI, refusedSlowHello, refusedTooMany, refusedBadTLS, refusedNoHello,
	refusedNoProof, refusedNoLine, refusedNoService,
}

// Reasons for which a connection that was passed on is closed; values of the label reason.
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
	refused   *prometheus.CounterVec
	closed    *prometheus.CounterVec
	failovers prometheus.Counter
}

func newMetrics(g *gateway) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hanse_gateway_refused_total", Help: "Connections that the gateway refused, by reason.",
		}, []string{"reason"}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hanse_gateway_closed_total", Help: "Connections that the gateway closed after it had passed them on, by reason.",
		}, []string{"reason"}),
		failovers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hanse_line_failovers_total", Help: "Times that traffic to a member had to leave a line for another one.",
		}),
	}
	for _, reason := range refusals {
		m.refused.WithLabelValues(reason)
	}
	for _, reason := range []string{closedSlowHandshake, closedIdle} {
		m.closed.WithLabelValues(reason)
	}
	m.registry.MustRegister(m.refused, m.closed, m.failovers, &collector{g})
	return m
}

// collector reads what changes all the time at the moment when somebody asks, so that the data path counts nothing.
type collector struct{ g *gateway }

var (
	lineUp = prometheus.NewDesc("hanse_line_up",
		"1 if the line is up, 0 if it is down or nothing is known of it.", []string{"line", "member"}, nil)
	lineRTT = prometheus.NewDesc("hanse_line_rtt_seconds",
		"Median round trip of the latest probes.", []string{"line", "member"}, nil)
	gatewayConnections = prometheus.NewDesc("hanse_gateway_connections",
		"Connections that are open, by direction.", []string{"direction"}, nil)
	gatewayHalfOpen = prometheus.NewDesc("hanse_gateway_half_open_connections",
		"Connections that have not said yet where they want to go, by listener.", []string{"listener"}, nil)
	gatewayAtLimit = prometheus.NewDesc("hanse_gateway_at_limit",
		"1 if the listener has refused a connection for a limit in the last minute.", []string{"listener"}, nil)
	gatewayShared = prometheus.NewDesc("hanse_gateway_shared_sources",
		"Source addresses from which several members' gateways come in, whose lines therefore share one limit.", nil, nil)
	lineAtLimit = prometheus.NewDesc("hanse_line_at_limit",
		"1 if a connection from the line's far member was refused for a limit in the last minute.", []string{"line", "member"}, nil)
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
	for _, ways := range c.g.table.Load().ways {
		for _, w := range ways {
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
