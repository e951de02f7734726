package discovery

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	members  *prometheus.GaugeVec
	rejected *prometheus.CounterVec
	refused  *prometheus.CounterVec
	dropped  *prometheus.CounterVec
	// connections are those that are open.
	connections *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		members: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hanse_gossip_members", Help: "Members of a consortium by whether this agent is in contact with them.",
		}, []string{"consortium", "state"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hanse_gossip_statements_rejected_total", Help: "Statements that were rejected.",
		}, []string{"reason"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hanse_gossip_connections_refused_total", Help: "Incoming connections, and streams on them, that were rejected.",
		}, []string{"reason"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hanse_gossip_packets_dropped_total", Help: "Packets that were not sent or not accepted.",
		}, []string{"reason"}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hanse_gossip_connections", Help: "Open connections with other agents, by who has dialled them.",
		}, []string{"direction"}),
	}
	if r != nil {
		r.MustRegister(m.members, m.rejected, m.refused, m.dropped, m.connections)
	}
	return m
}

func (m *metrics) forget(consortium string) {
	m.members.DeletePartialMatch(prometheus.Labels{"consortium": consortium})
}

func (m *metrics) count(consortium string, online, unknown int) {
	m.members.WithLabelValues(consortium, "online").Set(float64(online))
	m.members.WithLabelValues(consortium, "unknown").Set(float64(unknown))
}
