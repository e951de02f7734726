package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/time/rate"

	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/gateway/splice"
	"github.com/hanse-io/hanse/internal/routing"
)

// gateway is one running gateway.
type gateway struct {
	o       Options
	log     *slog.Logger
	keys    *keypair
	metrics *metrics
	// logLimiter bounds what unauthenticated clients can make the gateway log.
	logLimiter rate.Sometimes
	flows      *flows
	inside     *admission
	outside    *admission
	limits     *limitEvents
	report     *reporter

	table       atomic.Pointer[table]
	hasRoutes   atomic.Bool // whether there have been routes
	probed      atomic.Bool // whether each line was probed once, or is not waited for any more
	stopping    atomic.Bool // no connection is accepted any more
	drained     atomic.Bool // no connection is kept any more
	connections sync.WaitGroup

	mu          sync.Mutex
	routesSince time.Time // when there were routes for the first time
	probes      *probes
	states      map[string]health.Snapshot // by line
	active      map[string]string          // line that last carried a member's traffic
}

// Run runs a gateway until ctx ends, and then until it has drained; see drain.
func Run(ctx context.Context, o Options) error {
	if err := o.complete(); err != nil {
		return err
	}
	g := newGateway(o)
	if _, err := g.keys.get(); err != nil {
		return err
	}
	inside, lines, web, err := o.listen(ctx)
	if err != nil {
		return err
	}
	return g.run(ctx, inside, lines, web)
}

func newGateway(o Options) *gateway {
	g := &gateway{
		o: o, log: o.Log, keys: &keypair{dir: o.CertDir, log: o.Log}, flows: newFlows(),
		inside: newAdmission(o.Limits), outside: newAdmission(o.Limits),
		limits:     newLimitEvents(),
		logLimiter: rate.Sometimes{Interval: time.Second},
		states:     map[string]health.Snapshot{}, active: map[string]string{},
	}
	g.table.Store(newTable(routing.Routes{}, nil))
	g.probes = &probes{g: g, running: map[string]*running{}}
	g.report = newReporter(g)
	g.metrics = newMetrics(g)
	return g
}

// listen opens the listeners that are not open yet; if one cannot be opened, none is.
func (o *Options) listen(ctx context.Context) (inside, lines, web net.Listener, err error) {
	var opened []net.Listener
	for _, l := range []struct {
		what, address string
		to            *net.Listener
		userTimeout   time.Duration
	}{
		{"inside", o.InsideAddress, &inside, 0},
		{"line", o.LineAddress, &lines, o.UserTimeout},
		{"metrics", o.MetricsAddress, &web, 0},
	} {
		config := net.ListenConfig{KeepAlive: -1} // accepted connections inherit the listener's
		config.SetMultipathTCP(false)             // its sockets cost more, and it is not used here
		config.Control = func(_, _ string, c syscall.RawConn) error { return splice.KeepAlive(c, l.userTimeout) }
		if *l.to, err = config.Listen(ctx, "tcp", l.address); err != nil {
			for _, o := range opened {
				o.Close()
			}
			return nil, nil, nil, fmt.Errorf("listen on %s for --%s-address: %w: give an address that is free", l.address, l.what, err)
		}
		opened = append(opened, *l.to)
	}
	return inside, lines, web, nil
}

// run serves until ctx ends, then drains.
func (g *gateway) run(ctx context.Context, inside, lines, web net.Listener) error {
	// The context of connections and probes, which continue while the gateway drains.
	serving, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 4)
	var tasks sync.WaitGroup
	start := func(task func() error) {
		tasks.Go(func() {
			if err := task(); err != nil {
				failed <- err
			}
		})
	}
	server := g.server()
	start(func() error { return g.accept(serving, inside, g.inside, g.fromInside) })
	start(func() error { return g.accept(serving, lines, g.outside, g.fromLine) })
	start(func() error { return unlessClosed(server.Serve(web)) })
	start(func() error {
		err := g.o.Source.Watch(serving, func(text []byte) { g.setRoutes(serving, text) })
		if serving.Err() != nil {
			return nil
		}
		return errors.Join(errors.New("the source of routes has ended"), err)
	})
	tasks.Go(func() { g.report.run(serving) })
	tasks.Go(func() { g.closeIdle(serving) })

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	g.drain(inside, lines, kill)
	kill()
	server.Close()
	tasks.Wait()
	g.probes.tasks.Wait()
	return err
}

// server serves metrics and health.
func (g *gateway) server() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := g.notReady(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
}

func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
