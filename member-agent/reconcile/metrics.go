package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/conditions"
	"github.com/hanse-io/hanse/member-agent/identity"
)

var (
	nodeReady = prometheus.NewDesc("hanse_node_ready",
		"1 if a node of this organization is ready.", []string{"consortium", "node", "role"}, nil)
	ledgerHeight = prometheus.NewDesc("hanse_ledger_height_blocks",
		"Blocks of a channel's ledger at this organization's own nodes, where it is the highest.", []string{"consortium", "channel"}, nil)
	contractServing = prometheus.NewDesc("hanse_contract_serving",
		"1 if this organization's own peers answer for a contract.", []string{"consortium", "channel", "contract"}, nil)
	certificateEnd = prometheus.NewDesc("hanse_certificate_not_after_timestamp_seconds",
		"When a certificate ends, by the Secret that holds it; consortium is empty for the organization's own.",
		[]string{"consortium", "certificate"}, nil)
)

// collector reads the mirrors' statuses and the Secrets from the caches at every scrape: series end with their objects.
type collector struct {
	// plans has the mirrors, and the Secrets of the agent's own namespace.
	plans     client.Reader
	namespace string
	// opened is the cache of a consortium's namespace; nil until it has synced.
	opened func(namespace string) client.Reader
}

// registerMetrics registers what is read from the caches.
func (r *Reconciler) registerMetrics() error {
	if r.Metrics == nil {
		return nil
	}
	kind := conditions.Kind{
		Name: "MemberPlan",
		List: func() client.ObjectList { return &v1alpha1.MemberPlanList{} },
		Of: func(o client.Object) []metav1.Condition {
			plan, _ := o.(*v1alpha1.MemberPlan)
			return plan.Status.Conditions
		},
	}
	if err := conditions.Register(r.Metrics, r.Cache, []conditions.Kind{kind}, client.InNamespace(r.Namespace)); err != nil {
		return err
	}
	c := &collector{plans: r.Cache, namespace: r.Namespace, opened: func(namespace string) client.Reader {
		reader, _ := r.caches.reader(namespace)
		return reader
	}}
	r.Metrics.Unregister(c)
	if err := r.Metrics.Register(c); err != nil {
		return fmt.Errorf("register the metrics of plans: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{nodeReady, ledgerHeight, contractServing, certificateEnd} {
		out <- d
	}
}

// Collect implements prometheus.Collector. What a cache does not have yet is left out, and not shown as none.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx := context.Background()
	c.sendCertificates(ctx, out, c.plans, c.namespace, "")
	var plans v1alpha1.MemberPlanList
	if err := c.plans.List(ctx, &plans, client.InNamespace(c.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	for i := range plans.Items {
		plan := &plans.Items[i]
		sendPlan(out, plan)
		namespace := v1alpha1.ConsortiumNamespace(plan.Name)
		if reader := c.opened(namespace); reader != nil {
			c.sendCertificates(ctx, out, reader, namespace, plan.Name)
		}
	}
}

func sendPlan(out chan<- prometheus.Metric, plan *v1alpha1.MemberPlan) {
	for _, n := range plan.Status.Nodes {
		out <- prometheus.MustNewConstMetric(nodeReady, prometheus.GaugeValue, number(n.Ready), plan.Name, n.Name, string(n.Role))
	}
	for _, channel := range plan.Status.Channels {
		out <- prometheus.MustNewConstMetric(ledgerHeight, prometheus.GaugeValue, float64(channel.Height), plan.Name, channel.Name)
	}
	sent := map[[2]string]bool{} // the API has no key of this list, and a series must not be sent twice
	for _, contract := range plan.Status.Contracts {
		key := [2]string{contract.Channel, contract.Name}
		if !sent[key] {
			out <- prometheus.MustNewConstMetric(contractServing, prometheus.GaugeValue, number(contract.Serving), plan.Name, contract.Channel, contract.Name)
		}
		sent[key] = true
	}
}

func (c *collector) sendCertificates(ctx context.Context, out chan<- prometheus.Metric, secrets client.Reader, namespace, consortium string) {
	ends, err := identity.Expiry(ctx, secrets, namespace)
	if err != nil {
		return
	}
	for name, end := range ends {
		out <- prometheus.MustNewConstMetric(certificateEnd, prometheus.GaugeValue, float64(end.Truncate(time.Second).Unix()), consortium, name)
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
