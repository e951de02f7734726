package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/gateway/probe"
	"github.com/hanse-io/hanse/internal/routing"
)

// probes holds one prober for each line whose far end can be authenticated.
type probes struct {
	g       *gateway
	tasks   sync.WaitGroup
	running map[string]*running // guarded by gateway.mu
}

type running struct {
	line routing.Line
	root string
	stop context.CancelFunc
}

// reconcile starts and stops probers to match the routes. The caller holds gateway.mu.
func (p *probes) reconcile(ctx context.Context, r routing.Routes) {
	wanted := map[string]routing.Line{}
	for _, l := range r.Lines {
		if r.Roots[l.Member] != "" && l.Problem == "" {
			l.Priority = 0 // a change of it needs no new prober
			wanted[l.Name] = l
		}
	}
	for name, is := range p.running {
		if l, ok := wanted[name]; !ok || l != is.line || r.Roots[l.Member] != is.root {
			is.stop()
			delete(p.running, name)
			delete(p.g.states, name)
		}
	}
	for name, l := range wanted {
		if p.running[name] == nil {
			p.start(ctx, l, r.Roots[l.Member])
		}
	}
}

func (p *probes) start(ctx context.Context, l routing.Line, root string) {
	ctx, stop := context.WithCancel(ctx)
	is := &running{line: l, root: root, stop: stop}
	p.running[l.Name] = is
	p.g.states[l.Name] = health.New(p.g.o.Clock.Now()).Snapshot()
	prober := &probe.Prober{
		Line:    l.Name,
		Dial:    func(ctx context.Context) (net.Conn, error) { return p.g.dialLine(ctx, l) },
		TLS:     func() (*tls.Config, error) { return p.g.clientTLS(l.Member) },
		Clock:   p.g.o.Clock,
		Changed: func(s health.Snapshot, changed bool) { p.g.onProbeResult(is, s, changed) },
	}
	p.tasks.Go(func() { prober.Run(ctx) })
}

// setRoutes applies new routes.
func (g *gateway) setRoutes(ctx context.Context, text []byte) {
	r, err := routing.ParseRoutes(text)
	if err != nil {
		g.log.Error("new routes are invalid; keeping the last ones", "error", err)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.routesSince.IsZero() {
		g.routesSince = g.o.Clock.Now()
	}
	g.table.Store(newTable(r, g.states)) // a prober that starts finds its root there
	g.probes.reconcile(ctx, r)
	g.rebuild()
	g.hasRoutes.Store(true)
	g.log.Info("routes applied", "member", r.Member, "local", len(r.Local), "remote", len(r.Remote), "lines", len(r.Lines))
	g.report.trigger()
}

// onProbeResult stores the result of a prober.
func (g *gateway) onProbeResult(by *running, s health.Snapshot, changed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.probes.running[by.line.Name] != by {
		return // it was stopped meanwhile
	}
	last := g.states[by.line.Name]
	g.states[by.line.Name] = s
	if !changed {
		return // the round trip alone; the next rebuild includes it
	}
	if last.State != s.State {
		g.log.Info("a line is "+string(s.State), "line", by.line.Name, "member", by.line.Member, "before", string(last.State), "why", s.Message)
	}
	g.rebuild()
	g.report.trigger()
}

// rebuild rebuilds the table from the routes and the states, and closes connections over lines that are down. The caller
// holds g.mu.
func (g *gateway) rebuild() {
	old := g.table.Load()
	t := old.withStates(g.states)
	g.table.Store(t)
	for member := range t.links {
		was, wasUp := g.active[member]
		now, isUp := t.active(member)
		if !isUp {
			continue
		}
		if w, ok := t.line(was); wasUp && was != now && ok && w.State == v1alpha1.LineDown {
			g.metrics.failovers.Inc()
			g.log.Info("failover from a line that is down", "member", member, "from", was, "to", now)
		}
		g.active[member] = now
	}
	if n := g.flows.closeIf(t.shouldClose); n > 0 {
		g.log.Info("connections over lines that are down or removed were closed; their clients reconnect", "connections", n)
	}
}

// shouldClose reports whether a flow's line was removed, or is down while another one is up.
func (t *table) shouldClose(f *flow) bool {
	if f.line == "" {
		return false
	}
	w, ok := t.line(f.line)
	if !ok {
		return true
	}
	_, alternative := t.active(f.member)
	return w.State == v1alpha1.LineDown && alternative
}
