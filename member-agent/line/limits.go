package line

import (
	"sync"
	"time"
)

// atLimitFor is how long a gateway says that it is at a limit after it has last refused a connection for it.
const atLimitFor = time.Minute

// limits remember when connections were last refused because a limit was reached.
type limits struct {
	mu        sync.Mutex
	listeners map[*admission]time.Time
	members   map[string]time.Time // from whose lines
}

func newLimits() *limits {
	return &limits{listeners: map[*admission]time.Time{}, members: map[string]time.Time{}}
}

// note remembers a refusal, and reports whether it is news.
func (l *limits) note(a *admission, member string, now time.Time) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news = now.Sub(l.listeners[a]) >= atLimitFor
	l.listeners[a] = now
	if member != "" {
		news = news || now.Sub(l.members[member]) >= atLimitFor
		l.members[member] = now
	}
	return news
}

// listener reports whether a listener was at a limit of late.
func (l *limits) listener(a *admission, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.listeners[a]) < atLimitFor
}

// reached reports whether connections of a member were refused of late.
func (l *limits) reached(member string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.members[member]) < atLimitFor
}

// full notes that a connection was refused because a limit is reached, and whose.
func (g *gateway) full(a *admission, v *visit) {
	member := ""
	if a == g.outside {
		if member = a.member(v); member == "" {
			member = g.table.Load().ends[v.from]
		}
	}
	if g.limits.note(a, member, g.o.Clock.Now()) {
		open, _ := a.counts()
		g.log.Warn("connections are refused because a limit is reached: see --max-connections and --max-connections-per-source",
			"line", a == g.outside, "from", v.from.String(), "member", member, "connections", open)
		g.report.soon()
	}
}
