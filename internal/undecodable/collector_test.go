package undecodable

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// stored is a cache that holds lists as the API server would send them, and fails for those that it does not hold.
type stored struct {
	client.Reader
	lines, channels string
	namespace       string // that was asked for last
}

func (s *stored) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	s.namespace = (&client.ListOptions{}).ApplyOptions(opts).Namespace
	text := map[bool]string{true: s.lines, false: s.channels}[isLines(list)]
	if text == "" {
		return errors.New("the cache has not been started")
	}
	return json.Unmarshal([]byte(text), list)
}

func isLines(list client.ObjectList) bool {
	_, ok := list.(*v1alpha1.LineList)
	return ok
}

var kinds = Kinds{
	"Line":    func() client.ObjectList { return &v1alpha1.LineList{} },
	"Channel": func() client.ObjectList { return &v1alpha1.ChannelList{} },
}

const (
	goodLine = `{"metadata":{"name":"good"},"spec":{"priority":10}}`
	badLine  = `{"metadata":{"name":"bad"},"spec":{"priority":"high"}}`
	worse    = `{"metadata":{"name":"worse"},"spec":{"priority":"high","ends":7}}`
)

// counted is the metric's values by kind.
func counted(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "hanse_undecodable_objects" {
			t.Fatalf("there is a metric %s", family.GetName())
		}
		for _, m := range family.GetMetric() {
			counts[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
		}
	}
	return counts
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		why    string
		holds  stored
		counts map[string]float64
	}{
		{"nothing is stored", stored{lines: `{"items":[]}`, channels: `{"items":[]}`}, map[string]float64{"Channel": 0, "Line": 0}},
		{"what can be decoded does not count", stored{lines: `{"items":[` + goodLine + `]}`}, map[string]float64{"Line": 0}},
		{"an object counts once, however much of it cannot be decoded", stored{lines: `{"items":[` + goodLine + "," + badLine + "," + worse + `]}`}, map[string]float64{"Line": 2}},
		{
			"each kind for itself", stored{lines: `{"items":[` + badLine + `]}`, channels: `{"items":[{"metadata":{"name":"c"},"spec":{"consortium":"trade"}}]}`},
			map[string]float64{"Channel": 0, "Line": 1},
		},
		{"a kind that cannot be counted is not shown as none", stored{channels: `{"items":[]}`}, map[string]float64{"Channel": 0}},
	} {
		t.Run(c.why, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			if err := Register(registry, &c.holds, kinds, client.InNamespace("hanse-system")); err != nil {
				t.Fatal(err)
			}
			if got := counted(t, registry); !maps.Equal(got, c.counts) {
				t.Errorf("counted %v, want %v", got, c.counts)
			}
			if c.holds.namespace != "hanse-system" {
				t.Errorf("objects of namespace %q were counted", c.holds.namespace)
			}
		})
	}
}

// TestRegisteredAgain: the agent begins anew with another cache, whose objects are the ones to count.
func TestRegisteredAgain(t *testing.T) {
	registry := prometheus.NewRegistry()
	for _, holds := range []*stored{{lines: `{"items":[` + badLine + `]}`}, {lines: `{"items":[]}`}} {
		if err := Register(registry, holds, kinds); err != nil {
			t.Fatal(err)
		}
	}
	if got := counted(t, registry); !maps.Equal(got, map[string]float64{"Line": 0}) {
		t.Errorf("counted %v", got)
	}
}

// TestNameTaken: another metric of the name is told, not replaced.
func TestNameTaken(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "hanse_undecodable_objects", Help: "Another."}))
	if err := Register(registry, &stored{}, kinds); err == nil || !strings.Contains(err.Error(), "hanse_undecodable_objects") {
		t.Errorf("registered beside another metric of its name: %v", err)
	}
}
