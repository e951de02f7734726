// Package metrics exports what the Members report as Prometheus metrics. It must know nothing of how plans and statuses are
// computed: it reads what is stored.
package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

var (
	leaseAge = prometheus.NewDesc("hanse_member_lease_age_seconds",
		"Time since the Member's agent has renewed its Lease, by the agent's own clock.", []string{"member"}, nil)
	memberNodes = prometheus.NewDesc("hanse_member_nodes",
		"Ledger nodes of a Member in all consortia, as its agent reports them.", []string{"member", "state"}, nil)
	endUp = prometheus.NewDesc("hanse_line_end_up",
		"1 if the line is up as the gateway of the Member at this end reports it, 0 if it is down or unknown.", []string{"line", "from"}, nil)
	endRTT = prometheus.NewDesc("hanse_line_end_rtt_seconds",
		"Median round trip of the line as the gateway of the Member at this end reports it; only of a line that is up.", []string{"line", "from"}, nil)
	channelHeight = prometheus.NewDesc("hanse_channel_height_blocks",
		"Blocks of a channel's ledger, where it is the highest.", []string{"object_namespace", "consortium", "channel"}, nil)
	channelOrderers = prometheus.NewDesc("hanse_channel_orderers",
		"Nodes that order a channel: declared, and ready at Members that are online. A majority of those declared has to work.",
		[]string{"object_namespace", "consortium", "channel", "state"}, nil)
	planBytes = prometheus.NewDesc("hanse_plan_bytes",
		"Size of a Member's plan for a Consortium, in bytes of JSON.", []string{"member", "consortium"}, nil)
)

// Collector reads the cache at every scrape: series end with their objects.
type Collector struct {
	// Reader must be a cache.
	Reader   client.Reader
	Planners ledger.Planners
	Clock    clock.PassiveClock

	mu sync.Mutex
	// sizes of the plans by UID: encoding all of them at every scrape would cost more than everything else.
	sizes map[types.UID]planSize
}

type planSize struct {
	generation int64
	bytes      int
}

// Register adds the collector to a registry, and replaces one that is registered already.
func (c *Collector) Register(registry prometheus.Registerer) error {
	registry.Unregister(c)
	if err := registry.Register(c); err != nil {
		return fmt.Errorf("register the metrics of Members and channels: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{leaseAge, memberNodes, endUp, endRTT, channelHeight, channelOrderers, planBytes} {
		out <- d
	}
}

// Collect implements prometheus.Collector. What the cache does not have yet is left out, and not shown as none.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	var members v1alpha1.MemberList
	var leases coordinationv1.LeaseList
	var lines v1alpha1.LineList
	var channels v1alpha1.ChannelList
	var plans v1alpha1.MemberPlanList
	if c.list(&members) {
		sendMembers(send, members.Items)
	}
	if c.list(&leases) {
		sendLeases(send, leases.Items, c.Clock.Now())
	}
	if c.list(&lines) {
		sendLines(send, lines.Items)
	}
	if !c.list(&plans) {
		return
	}
	c.sendSizes(send, plans.Items)
	if c.list(&channels) {
		sendChannels(send, channels.Items, orderersOf(plans.Items, onlineMembers(members.Items), c.Planners))
	}
}

func (c *Collector) list(into client.ObjectList) bool {
	return c.Reader.List(context.Background(), into, client.UnsafeDisableDeepCopy) == nil
}

// send sends one series.
type send func(desc *prometheus.Desc, value float64, labels ...string)

func sendMembers(out send, members []v1alpha1.Member) {
	for i := range members {
		nodes := members[i].Status.Nodes
		out(memberNodes, float64(nodes.Desired), members[i].Name, "desired")
		out(memberNodes, float64(nodes.Ready), members[i].Name, "ready")
	}
}

func sendLeases(out send, leases []coordinationv1.Lease, now time.Time) {
	for i := range leases {
		member, ok := strings.CutPrefix(leases[i].Namespace, v1alpha1.MemberNamespace(""))
		if ok && leases[i].Spec.RenewTime != nil {
			out(leaseAge, now.Sub(leases[i].Spec.RenewTime.Time).Seconds(), member)
		}
	}
}

func sendLines(out send, lines []v1alpha1.Line) {
	for i := range lines {
		for _, end := range lines[i].Status.Ends {
			up := end.State == v1alpha1.LineUp
			out(endUp, number(up), lines[i].Name, end.From)
			if up {
				out(endRTT, (time.Duration(end.RTTMicroseconds) * time.Microsecond).Seconds(), lines[i].Name, end.From)
			}
		}
	}
}

func sendChannels(out send, channels []v1alpha1.Channel, orderers map[types.NamespacedName]memberOrderers) {
	for i := range channels {
		channel := &channels[i]
		labels := []string{channel.Namespace, channel.Spec.Consortium, channel.Name}
		out(channelHeight, float64(channel.Status.Height), labels...)
		count := orderers[types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.Consortium}].of(channel.Status.Members)
		out(channelOrderers, float64(count.declared), append(slices.Clone(labels), "declared")...)
		out(channelOrderers, float64(count.ready), append(slices.Clone(labels), "ready")...)
	}
}

// sendSizes sends the sizes of plans, and forgets those of plans that are gone.
func (c *Collector) sendSizes(out send, plans []v1alpha1.MemberPlan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := make(map[types.UID]planSize, len(plans))
	for i := range plans {
		plan := &plans[i]
		size, known := c.sizes[plan.UID]
		if !known || size.generation != plan.Generation {
			text, err := json.Marshal(plan.Spec)
			if err != nil {
				continue
			}
			size = planSize{generation: plan.Generation, bytes: len(text)}
		}
		next[plan.UID] = size
		out(planBytes, float64(size.bytes), plan.Spec.Member, plan.Spec.Consortium)
	}
	c.sizes = next
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
