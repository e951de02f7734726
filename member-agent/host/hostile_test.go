package host

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/policy"
)

func TestUsageTracker(t *testing.T) {
	limits, err := policy.ParseLimits(map[string]string{policy.LimitConsortia: "32", policy.LimitNodes: "40"})
	if err != nil {
		t.Fatal(err)
	}
	c := usageTracker{limits: limits, used: map[string]policy.Usage{}}
	plan := func(name string, nodes int) *v1alpha1.MemberPlan {
		return &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.MemberPlanSpec{Nodes: make([]v1alpha1.PlanNode, nodes)}}
	}
	// However many arrive at once, no more are let in than there may be.
	var group sync.WaitGroup
	var admitted sync.Map
	for i := range 100 {
		group.Go(func() {
			name := fmt.Sprintf("c%d", i)
			if why, _ := c.admit(plan(name, 1)); why == "" {
				admitted.Store(name, true)
			}
		})
	}
	group.Wait()
	count, one := 0, ""
	admitted.Range(func(name, _ any) bool { count++; one, _ = name.(string); return true })
	if count != 32 || len(c.used) != 32 {
		t.Fatalf("%d plans were let in, and %d are known", count, len(c.used))
	}
	if why, _ := c.admit(plan(one, 9)); why != "" {
		t.Errorf("a plan that there is already grows within the limit: %s", why)
	}
	if why, _ := c.admit(plan(one, 10)); !strings.Contains(why, "policy.limits.nodes") {
		t.Errorf("a plan that grows beyond the limit: %q", why)
	}
	_, undo := c.admit(plan(one, 1))
	undo()
	if c.used[one].Nodes != 9 {
		t.Errorf("after a write that failed, the plan counts with %d nodes", c.used[one].Nodes)
	}
	c.forget(one)
	if why, _ := c.admit(plan("late", 1)); why != "" {
		t.Errorf("once another plan has gone: %s", why)
	}
}

func TestPlanUsage(t *testing.T) {
	size := resource.MustParse("5Gi")
	u, err := planUsage(&v1alpha1.MemberPlanSpec{Nodes: []v1alpha1.PlanNode{
		{Name: "peer0-org1", Storage: v1alpha1.Storage{Size: &size}}, {Name: "peer1-org1", Storage: v1alpha1.Storage{Size: &size}},
	}})
	if err != nil || u.Storage != 10<<30 || u.Nodes != 2 || u.Bytes == 0 {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestDecode(t *testing.T) {
	good := `{"metadata":{"name":"trade","namespace":"n"},"spec":{"member":"org1"}}`
	for _, row := range []struct{ why, raw, says string }{
		{"as it should be", good, ""},
		{"no JSON", "<html>", "cannot be decoded"},
		{"another plan", strings.Replace(good, "trade", "other", 1), "another object"},
		{"another namespace", strings.Replace(good, `"n"`, `"m"`, 1), "another object"},
		{"a great many empty values", `{"spec":{"members":[` + strings.Repeat("{},", maxValues) + `{}]}}`, "more than 100000 values"},
	} {
		_, err := decode([]byte(row.raw), "trade", "n")
		var unusable errInvalidPlan
		if (row.says == "") != (err == nil) || (err != nil && (!errors.As(err, &unusable) || !strings.Contains(err.Error(), row.says))) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	told := 0
	known := nameSet{}
	for i := range 3 * maxNames {
		known.add(fmt.Sprintf("c%d", i), func(string) { told++ })
	}
	known.add("c1", func(string) { told++ })
	for _, bad := range []string{"", "UPPER", "a.b", strings.Repeat("a", 51)} {
		known.add(bad, func(string) { t.Errorf("%q cannot be a plan's name", bad) })
	}
	if told != maxNames+1 {
		t.Errorf("told of %d names", told)
	}
}

func TestWriteLimiter(t *testing.T) {
	p := writeLimiter{limiters: map[string]*rate.Limiter{}}
	now := time.Now()
	busy := 0
	for range 1000 {
		if p.wait("busy", now) == 0 {
			busy++
		}
	}
	if busy != writeBurst || p.wait("busy", now.Add(writeInterval)) != 0 {
		t.Errorf("a plan that changes all the time was written %d times at once", busy)
	}
	if p.wait("other", now) != 0 {
		t.Error("it keeps another from being written")
	}
}

// A host that answers without end is not read without end, be it a plan, a list or a watch.
func TestEndlessResponses(t *testing.T) {
	var sent int64
	var mu sync.Mutex
	chunk := []byte(strings.Repeat("x", 64<<10))
	r, transport, url := readerOf(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"metadata":{"name":"`)
		for r.Context().Err() == nil {
			n, err := w.Write(chunk)
			if err != nil {
				return
			}
			mu.Lock()
			sent += int64(n)
			mu.Unlock()
		}
	})
	var unusable errInvalidPlan
	if _, err := r.get(t.Context(), "trade"); !errors.As(err, &unusable) {
		t.Errorf("an endless plan: %v", err)
	}
	if err := r.listAndWatch(t.Context(), func(string) {}); err == nil {
		t.Error("an endless list is no error")
	}
	resp, err := transport.Get(url + "/?watch=true")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var large errTooLarge
	if n, err := io.Copy(io.Discard, resp.Body); n != maxWatch || !errors.As(err, &large) {
		t.Errorf("an endless watch was read to %d bytes: %v", n, err)
	}
}

func TestForeignRequest(t *testing.T) {
	registration := func(requests ...string) *v1alpha1.MemberRegistration {
		return &v1alpha1.MemberRegistration{KeyFingerprint: "k", Requests: requests}
	}
	for _, row := range []struct {
		why   string
		r     *v1alpha1.MemberRegistration
		asked []string
		alarm bool
	}{
		{"all was asked for", registration("a", "b"), []string{"a", "b", "c"}, false},
		{"one was not", registration("a", "x"), []string{"a"}, true},
		{"of another key nothing is known", &v1alpha1.MemberRegistration{KeyFingerprint: "new", Requests: []string{"x"}}, nil, false},
		{"nobody is registered", nil, nil, false},
	} {
		if what := foreignRequest(row.r, "k", row.asked); (what != "") != row.alarm {
			t.Errorf("%s: %q", row.why, what)
		}
	}
	w := newCredentialWatch(nil)
	for i, holder := range []string{"me", "before", "before", "me", "thief"} {
		w.foreignHolder(holder, "me")
		if alarm := w.renewed != ""; alarm != (i == 4) {
			t.Errorf("after %d holders: %q", i, w.renewed)
		}
	}
}
