// Package conditions exports the conditions of Hanse's objects as Prometheus metrics. It must know nothing of what the
// conditions mean.
package conditions

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Kind is a kind whose objects' conditions are exported.
type Kind struct {
	// Name is the value of the label kind.
	Name string
	// List returns an empty list of the kind.
	List func() client.ObjectList
	// Of returns an object's conditions.
	Of func(client.Object) []metav1.Condition
}

// collector reads the objects from a cache at every scrape: series end with their objects.
type collector struct {
	reader client.Reader
	kinds  []Kind
	opts   []client.ListOption
}

var (
	objects = prometheus.NewDesc("hanse_objects",
		"Objects of a kind.", []string{"kind"}, nil)
	// The label is not called namespace: Prometheus gives scraped pods a label of that name.
	condition = prometheus.NewDesc("hanse_object_condition",
		"1 for the status and the reason that an object's condition has now.",
		[]string{"kind", "object_namespace", "name", "type", "status", "reason"}, nil)
)

// Register adds the gauges hanse_objects and hanse_object_condition to a registry, and replaces those that are registered
// already. reader must be a cache.
func Register(registry prometheus.Registerer, reader client.Reader, kinds []Kind, opts ...client.ListOption) error {
	c := &collector{reader: reader, kinds: kinds, opts: append([]client.ListOption{client.UnsafeDisableDeepCopy}, opts...)}
	registry.Unregister(c)
	if err := registry.Register(c); err != nil {
		return fmt.Errorf("register the metrics of conditions: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) { out <- objects; out <- condition }

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for _, kind := range c.kinds {
		list := kind.List()
		if err := c.reader.List(context.Background(), list, c.opts...); err != nil {
			continue // the cache has not synced yet: nothing is known
		}
		out <- prometheus.MustNewConstMetric(objects, prometheus.GaugeValue, float64(meta.LenList(list)), kind.Name)
		_ = meta.EachListItem(list, func(item runtime.Object) error {
			object, ok := item.(client.Object)
			if !ok {
				return nil
			}
			for _, has := range kind.Of(object) {
				out <- prometheus.MustNewConstMetric(condition, prometheus.GaugeValue, 1,
					kind.Name, object.GetNamespace(), object.GetName(), has.Type, string(has.Status), has.Reason)
			}
			return nil
		})
	}
}
