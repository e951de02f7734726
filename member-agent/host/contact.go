package host

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// newLastContact is the gauge of the last renewal of the Lease. Until the first one it is the time of the start, so that an
// agent that never reaches the host shows too.
func newLastContact(r prometheus.Registerer, started time.Time) prometheus.Gauge {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hanse_host_last_contact_timestamp_seconds",
		Help: "When this agent has renewed its Lease on the host last, or when it has started if it has not renewed it since.",
	})
	gauge.Set(float64(started.Unix()))
	if r != nil {
		r.MustRegister(gauge)
	}
	return gauge
}
