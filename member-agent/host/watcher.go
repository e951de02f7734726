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
	// maxForeignRenewals is the number of renewals of the Lease by somebody else from which the credential counts as
	// shared: a replica that is being stopped may renew it once more.
	maxForeignRenewals = 3
	// registrationInterval is how often the agent reads which credentials the host has issued, if no report of its own
	// returns that. The host checks it too; an idle agent makes few requests.
	registrationInterval = time.Hour
)

// credentialWatch detects that somebody else uses the agent's credential on the host.
type credentialWatch struct {
	// nonce identifies this process of the agent.
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

func newCredentialWatch(r prometheus.Registerer) *credentialWatch {
	w := &credentialWatch{nonce: rand.Text()[:12], gauge: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hanse_host_credential_shared", Help: "1 while something shows that somebody else uses this agent's credential on the host.",
	})}
	if r != nil {
		r.MustRegister(w.gauge)
	}
	return w
}

// holder is this agent's name in the Lease.
func (l *HostSession) holder() string { return l.options.Instance + "/" + l.credentialWatch.nonce }

// CredentialShared says why somebody else seems to use the agent's credential on the host, and what to do; empty if
// nobody does.
func (l *HostSession) CredentialShared() string {
	l.credentialWatch.mu.Lock()
	defer l.credentialWatch.mu.Unlock()
	return l.credentialWatch.alarm
}

// checkRegistration reads which credentials the host has issued, once in registrationInterval.
func (l *HostSession) checkRegistration(ctx context.Context, host client.Client, c *credential) error {
	now := l.options.Now()
	l.credentialWatch.mu.Lock()
	due := now.Sub(l.credentialWatch.asked) >= registrationInterval
	l.credentialWatch.mu.Unlock()
	if !due {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var member v1alpha1.Member
	if err := host.Get(ctx, client.ObjectKey{Name: l.options.Member}, &member); err != nil {
		return err
	}
	return l.compareRegistration(member.Status.Registration, c)
}

// compareRegistration compares what the host has issued with what the agent has asked for.
func (l *HostSession) compareRegistration(r *v1alpha1.MemberRegistration, c *credential) error {
	fingerprint, err := c.fingerprint()
	if err != nil {
		return err
	}
	w := l.credentialWatch
	w.mu.Lock()
	w.asked, w.issued = l.options.Now(), foreignRequest(r, fingerprint, c.requests.list())
	w.mu.Unlock()
	l.updateAlarm()
	return nil
}

// foreignRequest says whether somebody else has requested a credential for the key; empty if nobody has.
func foreignRequest(r *v1alpha1.MemberRegistration, fingerprint string, asked []string) string {
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

// foreignHolder counts a renewal of the Lease by another holder.
func (w *credentialWatch) foreignHolder(holder, own string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if holder == "" || holder == own {
		return
	}
	if w.foreign++; w.foreign >= maxForeignRenewals {
		w.renewed = fmt.Sprintf("the Lease is renewed by %.128q too", holder)
	}
}

// updateAlarm sets the metric, and records an event when the alarm is new.
func (l *HostSession) updateAlarm() {
	w := l.credentialWatch
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
		l.log.Info("the credential on the host is shared", "why", what)
	}
}

// resetWatch drops what was observed of the previous key.
func (l *HostSession) resetWatch() {
	w := l.credentialWatch
	w.mu.Lock()
	w.version, w.foreign, w.asked, w.issued, w.renewed = "", 0, time.Time{}, "", ""
	w.mu.Unlock()
	l.updateAlarm()
}
