// Package readiness answers /readyz by what a controller can really do: every informer has filled, its watches go on, and
// the replica that leads runs its controllers. It must know nothing of what is watched.
package readiness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

const (
	// forgotten is how long after its last failure a watch counts as well again; reflectors try every 30 seconds at least.
	forgotten = 90 * time.Second
	// tolerated is how long watches may fail before that is more than an API server that restarts.
	tolerated = time.Minute
)

// Watches remembers since when watches fail. Its Handler goes into a cache's options.
type Watches struct {
	// Now is the clock.
	Now func() time.Time

	mu          sync.Mutex
	first, last time.Time
	why         error
}

// Handler notes what goes wrong with a watch, and does what is done by default.
func (w *Watches) Handler(ctx context.Context, r *toolscache.Reflector, err error) {
	if !ordinary(err) {
		w.note(fmt.Errorf("%s: %w", r.TypeDescription(), err))
	}
	toolscache.DefaultWatchErrorHandler(ctx, r, err)
}

// ordinary is whether an error is one of those with which watches end in the course of things.
func ordinary(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

func (w *Watches) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now()
	if now.Sub(w.last) > forgotten {
		w.first = now
	}
	w.last, w.why = now, err
}

// failing is why watches have not worked for a while; nil if they do.
func (w *Watches) failing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Now().Sub(w.last) > forgotten || w.last.Sub(w.first) < tolerated {
		return nil
	}
	return fmt.Errorf("the API server has not been watched without failures for %s: %w", w.last.Sub(w.first).Round(time.Second), w.why)
}

// reason is what was last amiss with a watch; nil for nothing.
func (w *Watches) reason() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

// Check answers whether a manager's process is ready.
type Check struct {
	watches *Watches
	synced  map[string]func() bool
	elected <-chan struct{}
	working atomic.Bool
	log     logr.Logger

	mu   sync.Mutex
	said string
}

// Add makes a Check of the informers of some kinds and adds it to a manager.
func Add(ctx context.Context, mgr manager.Manager, watches *Watches, objects map[string]client.Object) error {
	c := &Check{watches: watches, synced: map[string]func() bool{}, elected: mgr.Elected(), log: mgr.GetLogger().WithName("ready")}
	for kind, object := range objects {
		informer, err := mgr.GetCache().GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watch %s: %w", kind, err)
		}
		c.synced[kind] = informer.HasSynced
	}
	if err := mgr.Add(manager.RunnableFunc(c.work)); err != nil {
		return fmt.Errorf("add the check of readiness: %w", err)
	}
	return mgr.AddReadyzCheck("working", c.Ready)
}

// work is started with the controllers, once this replica leads, and ends with them.
func (c *Check) work(ctx context.Context) error {
	c.working.Store(true)
	defer c.working.Store(false)
	<-ctx.Done()
	return nil
}

// Ready is a healthz.Checker. The reason goes to the log, once, for a probe shows none.
func (c *Check) Ready(*http.Request) error {
	err := c.state()
	text := ""
	if err != nil {
		text = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if text != c.said {
		if err != nil {
			c.log.Info("not ready", "why", text)
		} else {
			c.log.Info("ready again")
		}
	}
	c.said = text
	return err
}

func (c *Check) state() error {
	for _, kind := range slices.Sorted(maps.Keys(c.synced)) {
		if !c.synced[kind]() {
			if why := c.watches.reason(); why != nil {
				return fmt.Errorf("%s have not been read yet: %w", kind, why)
			}
			return fmt.Errorf("%s have not been read yet", kind)
		}
	}
	select {
	case <-c.elected:
		if !c.working.Load() {
			return errors.New("this replica leads, and its controllers do not run")
		}
	default: // another replica leads; this one stands by with full caches
	}
	return c.watches.failing()
}
