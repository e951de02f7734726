package propagation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/bench/controlplanes"
	"github.com/hanse-io/hanse/hack/bench/figures"
)

// auditDelay is how long the API servers may keep audit events to themselves.
const auditDelay = 2 * time.Second

// step is one request that a change passes through.
type step struct {
	name             string
	plane            *controlplanes.ControlPlane
	user             string
	namespace        string
	resource, detail string
}

func (r *runs) steps() []step {
	host, own := r.p.Host, r.p.Own
	federation := "system:serviceaccount:" + controlplanes.Namespace + ":federation"
	agent := "system:serviceaccount:" + controlplanes.Namespace + ":member-agent"
	there := v1alpha1.MemberNamespace(controlplanes.Member)
	return []step{
		{"federation writes the plan", host, federation, there, "memberplans", ""},
		{"agent writes the mirror", own, agent, controlplanes.Namespace, "memberplans", ""},
		{"agent writes the mirror's status", own, agent, controlplanes.Namespace, "memberplans", "status"},
		{"agent reports to the host", host, v1alpha1.MemberUser(controlplanes.Member), there, "memberplans", "status"},
	}
}

// mark is the state of things before changes begin: the lengths of the two audit logs, and the CPU time used.
type mark struct {
	offsets map[*controlplanes.ControlPlane]int64
	cpu     map[string]float64
	at      time.Time
}

func (r *runs) mark() (mark, error) {
	if r.o.Trace == nil {
		return mark{}, nil
	}
	offsets := map[*controlplanes.ControlPlane]int64{}
	for _, plane := range []*controlplanes.ControlPlane{r.p.Host, r.p.Own} {
		_, next, err := plane.Requests(0)
		if err != nil {
			return mark{}, err
		}
		offsets[plane] = next
	}
	return mark{offsets, r.p.CPU(), time.Now()}, nil
}

// trace says when each request of the way was received after the change was accepted, and how long it took.
func (r *runs) trace(what string, names []string, since mark) {
	if r.o.Trace == nil {
		return
	}
	cpu, took := r.p.CPU(), time.Since(since.at)
	time.Sleep(auditDelay)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(cpu)) {
		lines = append(lines, fmt.Sprintf("  CPU of %-27s %6.1f ms for each change", name, (cpu[name]-since.cpu[name])*1000/float64(len(names))))
	}
	for _, s := range r.steps() {
		requests, _, err := s.plane.Requests(since.offsets[s.plane])
		if err != nil {
			lines = append(lines, err.Error())
			continue
		}
		at, spent := r.onTheWay(requests, s, names)
		lines = append(lines, fmt.Sprintf("  %-34s n=%-4d received p50 %6.1f p99 %6.1f ms, took p50 %5.1f p99 %5.1f ms", s.name, len(at),
			figures.Percentile(at, 50), figures.Percentile(at, 99), figures.Percentile(spent, 50), figures.Percentile(spent, 99)))
	}
	for _, plane := range []*controlplanes.ControlPlane{r.p.Host, r.p.Own} {
		requests, _, _ := plane.Requests(since.offsets[plane])
		counts := map[string]int{}
		for _, q := range requests {
			counts[q.User[strings.LastIndex(q.User, ":")+1:]+" "+q.Verb+" "+q.Resource+" "+q.Subresource]++
		}
		lines = append(lines, fmt.Sprintf("  all requests: %v", counts))
	}
	r.o.Trace("%s, %d changes in %.1f s:\n%s", what, len(names), took.Seconds(), strings.Join(lines, "\n"))
}

// onTheWay takes the first such request of each change after its acceptance.
func (r *runs) onTheWay(requests []controlplanes.Request, s step, names []string) (at, took []float64) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	for _, name := range names {
		c := r.t.changes[name]
		for _, q := range requests {
			if q.Name != name || !q.Of(s.user) || q.Resource != s.resource || q.Subresource != s.detail || q.Namespace != s.namespace ||
				q.Verb == "get" || q.Answered.Before(c.accepted) {
				continue
			}
			at = append(at, float64(q.Received.Sub(c.accepted).Microseconds())/1000)
			took = append(took, float64(q.Answered.Sub(q.Received).Microseconds())/1000)
			break
		}
	}
	return at, took
}
