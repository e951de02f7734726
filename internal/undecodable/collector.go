// Package undecodable exports a Prometheus metric of the stored objects that cannot be decoded into Hanse's types. It must
// know nothing of what the objects mean.
package undecodable

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Kinds are functions that return an empty list of the kind to count, by kind.
type Kinds map[string]func() client.ObjectList

// collector counts the objects in a cache at every scrape.
type collector struct {
	reader client.Reader
	opts   []client.ListOption
	kinds  Kinds
	desc   *prometheus.Desc
}

// Register adds the gauge hanse_undecodable_objects to a registry, and replaces one that is registered already. reader must
// be a cache.
func Register(registry prometheus.Registerer, reader client.Reader, kinds Kinds, opts ...client.ListOption) error {
	c := &collector{reader: reader, opts: opts, kinds: kinds, desc: prometheus.NewDesc("hanse_undecodable_objects",
		"Objects with a value that cannot be decoded, which are not processed; their condition Accepted names the value.",
		[]string{"kind"}, nil)}
	registry.Unregister(c)
	if err := registry.Register(c); err != nil {
		return fmt.Errorf("register the metric hanse_undecodable_objects: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for kind, list := range c.kinds {
		count, err := c.count(list())
		if err != nil {
			continue // the cache has not synced yet: the count is unknown
		}
		out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(count), kind)
	}
}

func (c *collector) count(list client.ObjectList) (int, error) {
	opts := append([]client.ListOption{client.UnsafeDisableDeepCopy}, c.opts...)
	if err := c.reader.List(context.Background(), list, opts...); err != nil {
		return 0, err
	}
	count := 0
	err := meta.EachListItem(list, func(object runtime.Object) error {
		if o, ok := object.(interface{ GetUndecodable() v1alpha1.Undecodable }); ok && len(o.GetUndecodable()) > 0 {
			count++
		}
		return nil
	})
	return count, err
}
