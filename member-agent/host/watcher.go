package host

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// mostForeign is how often the Lease may be found renewed by somebody else, since this agent has renewed it, before that
	// counts as another user of the credential: a replica that is being stopped may renew it once more.
	mostForeign = 3
	// memberInterval is how often the agent asks the host which credentials it has issued, when no report of its own brings
	// the answer. The host watches that by itself; an idle agent is to be quiet.
	memberInterval = time.Hour
)

// watcher looks for signs that somebody else uses the agent's credential on the host.
type watcher struct {
	// nonce tells this start of the agent from every other one.
	nonce string
	gauge prometheus.Gauge

	mu sync.Mutex
	// version of the Lease as this agent has written it last.
	version string
	foreign int
	asked   time.Time
	// issued and renewed say what shows another user: in what the host has issued, and in who renews the Lease.
	issued, renewed string
	alarm           string
}

func newWatcher(r prometheus.Registerer) *watcher {
	w := &watcher{nonce: rand.Text()[:12], gauge: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hanse_host_credential_shared", Help: "1 while something shows that somebody else uses this agent's credential on the host.",
	})}
	if r != nil {
		r.MustRegister(w.gauge)
	}
	return w
}

// holder is this agent's name in the Lease.
func (l *Link) holder() string { return l.options.Instance + "/" + l.watcher.nonce }

// CredentialShared says what shows that somebody else uses the agent's credential on the host, and what to do; empty when
// nothing does.
func (l *Link) CredentialShared() string {
	l.watcher.mu.Lock()
	defer l.watcher.mu.Unlock()
	return l.watcher.alarm
}

// ask asks the host which credentials it has issued, unless that is known already.
func (l *Link) ask(ctx context.Context, host client.Client, c *credential) error {
	now := l.options.Now()
	l.watcher.mu.Lock()
	due := now.Sub(l.watcher.asked) >= memberInterval
	l.watcher.mu.Unlock()
	if !due {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var member v1alpha1.Member
	if err := host.Get(ctx, client.ObjectKey{Name: l.options.Member}, &member); err != nil {
		return err
	}
	return l.compare(member.Status.Registration, c)
}

// compare compares what the host has issued with what the agent has asked for.
func (l *Link) compare(r *v1alpha1.MemberRegistration, c *credential) error {
	fingerprint, err := c.fingerprint()
	if err != nil {
		return err
	}
	w := l.watcher
	w.mu.Lock()
	w.asked, w.issued = l.options.Now(), strangers(r, fingerprint, c.requests.list())
	w.mu.Unlock()
	l.raise()
	return nil
}

// strangers says what shows that somebody else has asked for a credential for the key; empty when nothing does.
func strangers(r *v1alpha1.MemberRegistration, fingerprint string, asked []string) string {
	if r == nil || r.KeyFingerprint != fingerprint {
		return ""
	}
	for _, request := range r.Requests {
		if !slices.Contains(asked, request) {
			return fmt.Sprintf("the host has issued a credential (the last one at %s) that this agent has not asked for", r.LastIssued.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

// foreignHolder is told who holds the Lease when it was found written since this agent has written it.
func (w *watcher) foreignHolder(holder, own string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if holder == "" || holder == own {
		return
	}
	if w.foreign++; w.foreign >= mostForeign {
		w.renewed = fmt.Sprintf("the Lease is renewed by %.128q too", holder)
	}
}

// raise tells the organization, once.
func (l *Link) raise() {
	w := l.watcher
	w.mu.Lock()
	what := cmp.Or(w.issued, w.renewed)
	if what != "" {
		what = fmt.Sprintf("somebody else uses this agent's credential on the host: %s; find out how the key got out of Secret %s, and ask the host's operators to end it: kubectl hanse invite %s --replace",
			what, CredentialSecret, l.options.Member)
	}
	news := what != "" && w.alarm == ""
	w.alarm = what
	w.mu.Unlock()
	if what == "" {
		w.gauge.Set(0)
		return
	}
	w.gauge.Set(1)
	if news {
		l.event(corev1.EventTypeWarning, v1alpha1.ReasonCredentialShared, what)
		l.log.Info("the credential on the host has another user", "why", what)
	}
}

// admitted is told that the agent has a new key: whatever was seen of the last one is past.
func (l *Link) admitted() {
	w := l.watcher
	w.mu.Lock()
	w.version, w.foreign, w.asked, w.issued, w.renewed = "", 0, time.Time{}, "", ""
	w.mu.Unlock()
	l.raise()
}
