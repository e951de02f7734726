//go:build integration

package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

// requestCounter counts requests by method and resource; those that begin a watch as WATCH.
type requestCounter struct {
	next http.RoundTripper

	mu     sync.Mutex
	counts map[string]int
}

func (c *requestCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	method := r.Method
	if r.URL.Query().Get("watch") != "" {
		method = "WATCH"
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	what := parts[len(parts)-1]
	if at := slices.Index(parts, "namespaces"); at >= 0 && at+2 < len(parts) {
		what = parts[at+1] + "/" + parts[at+2]
		if at+4 < len(parts) {
			what += "/" + parts[at+4]
		}
	}
	c.mu.Lock()
	c.counts[method+" "+what]++
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

// take returns the counts since it was called last.
func (c *requestCounter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts
	c.counts = map[string]int{}
	return counts
}

// TestRequestsOfATurn: while certificates are missing, with nobody who issues them, the agent learns why from its watches:
// a turn asks the API server for no Certificate and no Secret.
func TestRequestsOfATurn(t *testing.T) {
	ctx := context.Background()
	host := startCluster(t, "../../charts/federation/crds")
	own := startCluster(t, "../../charts/member-agent/crds")
	own.namespace(t, agentNamespace)
	own.chart(t)
	if err := testcluster.InstallCRDs(own.config, certManagerCRDs(t)); err != nil {
		t.Fatal(err)
	}
	prepareHost(t, host)
	registerMember(t, own, host, "org1")
	counter := &requestCounter{counts: map[string]int{}}
	own.config.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		counter.mu.Lock()
		defer counter.mu.Unlock()
		counter.next = next
		return counter
	}
	startAgent(t, own)
	plan := samplePlan("trade", "org1")
	host.apply(t, plan)
	here := client.ObjectKey{Namespace: agentNamespace, Name: "trade"}
	eventually(t, "the plan waits for its certificates",
		hasCondition(own, here, v1alpha1.PlanIdentitiesReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing))
	counter.take()
	turns := 0
	for began := time.Now(); time.Since(began) < 12*time.Second; turns++ { // longer than an answer was ever kept
		changed := plan.DeepCopy()
		changed.Spec.Nodes[0].ExtraSANs = []string{fmt.Sprintf("n%d.example.com", turns)}
		if err := host.Patch(ctx, changed, client.MergeFrom(plan)); err != nil {
			t.Fatal(err)
		}
		plan = changed
		eventually(t, "a turn", func(ctx context.Context) error {
			var mirror v1alpha1.MemberPlan
			if err := own.Get(ctx, here, &mirror); err != nil {
				return err
			}
			if sans := mirror.Spec.Nodes[0].ExtraSANs; !slices.Equal(sans, changed.Spec.Nodes[0].ExtraSANs) || mirror.Status.ObservedGeneration != mirror.Generation {
				return fmt.Errorf("names %v, observed generation %d of %d", sans, mirror.Status.ObservedGeneration, mirror.Generation)
			}
			return nil
		})
	}
	counts := counter.take()
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%3d %s in %d turns", counts[what], what, turns)
		if what == "GET hanse-trade/certificates" || what == "GET hanse-trade/secrets" {
			t.Errorf("%d times %s in %d turns", counts[what], what, turns)
		}
	}
	if turns < 3 || counts["PUT "+agentNamespace+"/memberplans/status"] < turns {
		t.Errorf("%d turns, counted %v: not what the agent does", turns, counts)
	}
}
