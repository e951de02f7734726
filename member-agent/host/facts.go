package host

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
)

// ReportOwner is the field manager of what the agent writes on the host.
const ReportOwner = "hanse-member-agent"

// roundTripInterval is the shortest time between two reports that differ in round trips only.
const roundTripInterval = time.Minute

// Facts is what the agent reports about the whole organization, beside its plans.
type Facts struct {
	// Root certificate in PEM; empty until it has been issued.
	Root  string
	Nodes v1alpha1.NodeCount
	Lines []v1alpha1.LineReport
}

// statusReporter holds the latest Facts until they are reported.
type statusReporter struct {
	mu      sync.Mutex
	current Facts
	known   bool
	changed chan struct{}
}

func newStatusReporter() *statusReporter { return &statusReporter{changed: make(chan struct{}, 1)} }

func (b *statusReporter) get() (Facts, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current, b.known
}

// SetFacts hands over what is to be reported. It never blocks.
func (l *HostSession) SetFacts(f Facts) {
	b := l.facts
	b.mu.Lock()
	b.current, b.known = f, true
	b.mu.Unlock()
	b.signal()
}

func (b *statusReporter) signal() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// runFacts reports the facts whenever they have changed enough, until ctx ends.
func (l *HostSession) runFacts(ctx context.Context, conn *connection, c *credential) {
	var last *Facts
	var at time.Time
	l.facts.signal()
	tick := time.NewTicker(roundTripInterval)
	defer tick.Stop()
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-l.facts.changed:
		case <-tick.C:
		}
		f, known := l.facts.get()
		if !known || !shouldReport(last, f, l.options.Now().Sub(at)) {
			continue
		}
		if err := l.report(ctx, conn, f, c); err != nil {
			conn.checkUnauthorized(err)
			l.log.V(1).Info("the member's status was not reported", "error", err.Error())
			if !sleep(ctx, backoff(failures)) {
				return
			}
			failures++
			l.facts.signal()
			continue
		}
		failures, last, at = 0, &f, l.options.Now()
	}
}

func (l *HostSession) report(ctx context.Context, conn *connection, f Facts, c *credential) error {
	fingerprint, err := c.fingerprint()
	if err != nil {
		return err
	}
	// One at a time, so that none overwrites a later one.
	l.reportLock.Lock()
	defer l.reportLock.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	answer, err := apply.OwnStatus(ctx, conn.client, ReportOwner, &v1alpha1.Member{
		ObjectMeta: metav1.ObjectMeta{Name: l.options.Member},
		Status: v1alpha1.MemberStatus{
			Root: f.Root,
			Agent: v1alpha1.MemberAgent{
				Version: l.options.Version, KubernetesVersion: l.options.KubernetesVersion,
				KeyFingerprint: fingerprint, Requests: c.requests.list(),
			},
			Nodes: f.Nodes,
			Lines: f.Lines,
		},
	})
	if err != nil {
		return err
	}
	// The answer says what else the host has written there.
	var member v1alpha1.Member
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, &member); err != nil {
		return nil
	}
	return l.compareRegistration(member.Status.Registration, c)
}

// shouldReport says whether next differs enough from what was reported last, age ago. Round trips always differ a
// little; alone they are reported only if one has changed by more than a quarter, and once a minute at most.
func shouldReport(last *Facts, next Facts, age time.Duration) bool {
	if last == nil {
		return true
	}
	a, b := withoutRoundTrips(*last), withoutRoundTrips(next)
	if !equality.Semantic.DeepEqual(a, b) {
		return true
	}
	if age < roundTripInterval {
		return false
	}
	for i := range next.Lines {
		was, is := last.Lines[i].RTTMicroseconds, next.Lines[i].RTTMicroseconds
		if diff := max(was-is, is-was); diff*4 > was {
			return true
		}
	}
	return false
}

func withoutRoundTrips(f Facts) Facts {
	lines := make([]v1alpha1.LineReport, len(f.Lines))
	copy(lines, f.Lines)
	for i := range lines {
		lines[i].RTTMicroseconds = 0
	}
	f.Lines = lines
	return f
}
