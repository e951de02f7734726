package buildinfo

import (
	"runtime"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hanse-io/hanse/internal/version"
)

func TestRegister(t *testing.T) {
	registry := prometheus.NewRegistry()
	for range 2 {
		if err := Register(registry, "gateway"); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "hanse_build_info" || len(families[0].GetMetric()) != 1 {
		t.Fatalf("gathered %v, %v", families, err)
	}
	metric := families[0].GetMetric()[0]
	if value := metric.GetGauge().GetValue(); value != 1 {
		t.Errorf("value %v", value)
	}
	want := map[string]string{"component": "gateway", "version": version.Current, "goversion": runtime.Version()}
	for _, label := range metric.GetLabel() {
		if want[label.GetName()] != label.GetValue() {
			t.Errorf("label %s is %q", label.GetName(), label.GetValue())
		}
		delete(want, label.GetName())
	}
	if len(want) > 0 {
		t.Errorf("labels are missing: %v", want)
	}
}
