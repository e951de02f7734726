package gateway

import (
	"sync"
	"time"
)

// limitReportPeriod is how long a limit is reported after it has last rejected a connection.
const limitReportPeriod = time.Minute

// limitEvents remember when connections were last refused because a limit was reached.
type limitEvents struct {
	mu        sync.Mutex
	listeners map[*admission]time.Time
	members   map[string]time.Time // from whose lines
}

func newLimitEvents() *limitEvents {
	return &limitEvents{listeners: map[*admission]time.Time{}, members: map[string]time.Time{}}
}

// record stores a rejection, and reports whether it is the first one in limitReportPeriod.
func (l *limitEvents) record(a *admission, member string, now time.Time) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news = now.Sub(l.listeners[a]) >= limitReportPeriod
	l.listeners[a] = now
	if member != "" {
		news = news || now.Sub(l.members[member]) >= limitReportPeriod
		l.members[member] = now
	}
	return news
}

// listener reports whether a listener was at a limit in limitReportPeriod.
func (l *limitEvents) listener(a *admission, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.listeners[a]) < limitReportPeriod
}

// reached reports whether connections of a member were rejected in limitReportPeriod.
func (l *limitEvents) reached(member string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.members[member]) < limitReportPeriod
}

// reportLimit records, logs and reports that a connection was rejected because of a limit.
func (g *gateway) reportLimit(a *admission, v *pendingConn) {
	member := ""
	if a == g.outside {
		if member = a.member(v); member == "" {
			member = g.table.Load().farEnds[v.from]
		}
	}
	if g.limits.record(a, member, g.o.Clock.Now()) {
		open, _ := a.counts()
		g.log.Warn("connections are rejected because a limit is reached: see --max-connections and --max-connections-per-source",
			"line", a == g.outside, "from", v.from.String(), "member", member, "connections", open)
		g.report.trigger()
	}
}
