// Package buildinfo tells which version of a program runs, in the metric hanse_build_info. It must not know any component.
package buildinfo

import (
	"errors"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hanse-io/hanse/internal/version"
)

// Collector of the metric hanse_build_info, which is always 1: its labels are the component, its version and the version of
// Go that built it.
func Collector(component string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hanse_build_info", Help: "The component's version; the value is always 1.",
		ConstLabels: prometheus.Labels{"component": component, "version": version.Current, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// Register adds the collector to a registry. A process that starts a component again keeps the first one.
func Register(registry prometheus.Registerer, component string) error {
	err := registry.Register(Collector(component))
	var before prometheus.AlreadyRegisteredError
	if errors.As(err, &before) {
		return nil
	}
	return err
}
