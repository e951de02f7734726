package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/scrape"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// stored is a cache that holds objects as the API server would send them.
type stored struct {
	client.Reader
	members, leases, lines, channels, plans []string
}

func (s *stored) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	var items []string
	switch list.(type) {
	case *v1alpha1.MemberList:
		items = s.members
	case *coordinationv1.LeaseList:
		items = s.leases
	case *v1alpha1.LineList:
		items = s.lines
	case *v1alpha1.ChannelList:
		items = s.channels
	case *v1alpha1.MemberPlanList:
		items = s.plans
	}
	return json.Unmarshal([]byte(`{"items":[`+strings.Join(items, ",")+`]}`), list)
}

func member(name, online string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q},"status":{"nodes":{"ready":1,"desired":2},"conditions":[{"type":"Online","status":%q}]}}`, name, online)
}

// planOf is a Member's plan with that many orderers, of which so many are reported ready.
func planOf(member string, orderers, ready int) string {
	var nodes, reports []string
	for i := range orderers {
		nodes = append(nodes, fmt.Sprintf(`{"name":"orderer%d-%s","role":"Orderer"}`, i, member))
		reports = append(reports, fmt.Sprintf(`{"name":"orderer%d-%s","role":"Orderer","ready":%t}`, i, member, i < ready))
	}
	return fmt.Sprintf(`{"metadata":{"name":"trade","uid":%q,"generation":1},"spec":{"member":%q,"consortium":"trade","consortiumNamespace":"default","nodes":[%s]},"status":{"nodes":[%s]}}`,
		member, member, strings.Join(nodes, ","), strings.Join(reports, ","))
}

func channel(name string, members ...string) string {
	list, _ := json.Marshal(members)
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"default"},"spec":{"consortium":"trade"},"status":{"height":7,"members":%s}}`, name, list)
}

// series are those of the metrics that begin so.
func series(all []string, prefix string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, prefix) })
}

func register(t *testing.T, cache *stored) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	now := time.Date(2026, 1, 1, 0, 1, 30, 0, time.UTC)
	c := &Collector{Reader: cache, Clock: testingclock.NewFakePassiveClock(now), Planners: ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}}
	if err := c.Register(registry); err != nil {
		t.Fatal(err)
	}
	return registry
}

func TestMembersAndLines(t *testing.T) {
	cache := &stored{
		members: []string{member("org1", "True")},
		leases: []string{
			`{"metadata":{"namespace":"hanse-member-org1","name":"agent"},"spec":{"renewTime":"2026-01-01T00:00:00.000000Z"}}`,
			`{"metadata":{"namespace":"hanse-member-org2","name":"agent"},"spec":{}}`,
		},
		lines: []string{`{"metadata":{"name":"org1-org2"},"status":{"ends":[{"from":"org1","state":"Up","rttMicroseconds":1500},{"from":"org2","state":"Down"}]}}`},
	}
	registry := register(t, cache)
	want := []string{
		`hanse_line_end_rtt_seconds{from="org1",line="org1-org2"} 0.0015`,
		`hanse_line_end_up{from="org1",line="org1-org2"} 1`,
		`hanse_line_end_up{from="org2",line="org1-org2"} 0`,
		`hanse_member_lease_age_seconds{member="org1"} 90`,
		`hanse_member_nodes{member="org1",state="desired"} 2`,
		`hanse_member_nodes{member="org1",state="ready"} 1`,
	}
	if got := scrape.Hanse(t, registry); !slices.Equal(got, want) {
		t.Errorf("series:\n%s", strings.Join(got, "\n"))
	}
	*cache = stored{}
	if got := scrape.Hanse(t, registry); len(got) != 0 {
		t.Errorf("series of deleted objects are left: %q", got)
	}
}

func TestChannelOrderers(t *testing.T) {
	for _, c := range []struct {
		why             string
		members, plans  []string
		channel         string
		declared, ready int
	}{
		{"all are ready", []string{member("a", "True"), member("b", "True")}, []string{planOf("a", 2, 2), planOf("b", 1, 1)}, channel("goods", "a", "b"), 3, 3},
		{"one is not", []string{member("a", "True"), member("b", "True")}, []string{planOf("a", 2, 1), planOf("b", 1, 1)}, channel("goods", "a", "b"), 3, 2},
		{"an old report of a Member that is silent says nothing", []string{member("a", "Unknown"), member("b", "True")}, []string{planOf("a", 2, 2), planOf("b", 1, 1)}, channel("goods", "a", "b"), 3, 1},
		{"a channel is ordered by its own members", []string{member("a", "True"), member("b", "True")}, []string{planOf("a", 2, 2), planOf("b", 1, 1)}, channel("goods", "b"), 1, 1},
		{"or by all, if none of these runs an orderer", []string{member("a", "True"), member("b", "True")}, []string{planOf("a", 2, 2), planOf("b", 0, 0)}, channel("goods", "b"), 2, 2},
		{"a Consortium without plans yet", nil, nil, channel("goods", "a"), 0, 0},
	} {
		registry := register(t, &stored{members: c.members, plans: c.plans, channels: []string{c.channel}})
		labels := `{channel="goods",consortium="trade",object_namespace="default"`
		want := []string{
			`hanse_channel_height_blocks` + labels + `} 7`,
			fmt.Sprintf(`hanse_channel_orderers%s,state="declared"} %d`, labels, c.declared),
			fmt.Sprintf(`hanse_channel_orderers%s,state="ready"} %d`, labels, c.ready),
		}
		if got := series(scrape.Hanse(t, registry), "hanse_channel_"); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s", c.why, strings.Join(got, "\n"))
		}
	}
}

// TestPlanBytes: a plan is measured again when it has changed, and its series ends with it.
func TestPlanBytes(t *testing.T) {
	cache := &stored{plans: []string{planOf("org1", 1, 0)}}
	registry := register(t, cache)
	small := series(scrape.Hanse(t, registry), "hanse_plan_bytes")
	if len(small) != 1 || !strings.HasPrefix(small[0], `hanse_plan_bytes{consortium="trade",member="org1"} `) {
		t.Fatalf("series: %q", small)
	}
	cache.plans[0] = strings.Replace(planOf("org1", 3, 0), `"generation":1`, `"generation":2`, 1)
	if large := series(scrape.Hanse(t, registry), "hanse_plan_bytes"); slices.Equal(large, small) {
		t.Errorf("a plan of three nodes has the size of one with one: %q", large)
	}
	cache.plans = nil
	if left := series(scrape.Hanse(t, registry), "hanse_plan_bytes"); len(left) != 0 {
		t.Errorf("the series of a deleted plan is left: %q", left)
	}
}
