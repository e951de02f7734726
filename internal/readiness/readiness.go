// Package readiness implements /readyz for a controller: every informer has synced, its watches work, and the leading
// replica runs its controllers. It must know nothing of what is watched.
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
	// recoveredAfter is how long after its last failure a watch counts as recovered; reflectors retry at least every 30
	// seconds.
	recoveredAfter = 90 * time.Second
	// failureTolerance is how long watches may fail, so that a restart of the API server is tolerated.
	failureTolerance = time.Minute
)

// Watches records failures of watches. Its Handler goes into a cache's options.
type Watches struct {
	// Now is the clock.
	Now func() time.Time

	mu          sync.Mutex
	first, last time.Time
	why         error
}

// Handler records a watch error and calls the default handler.
func (w *Watches) Handler(ctx context.Context, r *toolscache.Reflector, err error) {
	if !isExpectedEnd(err) {
		w.note(fmt.Errorf("%s: %w", r.TypeDescription(), err))
	}
	toolscache.DefaultWatchErrorHandler(ctx, r, err)
}

// isExpectedEnd is whether an error is one with which watches end in normal operation.
func isExpectedEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

func (w *Watches) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now()
	if now.Sub(w.last) > recoveredAfter {
		w.first = now
	}
	w.last, w.why = now, err
}

// failing is why watches have failed for longer than failureTolerance; nil if they have not.
func (w *Watches) failing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Now().Sub(w.last) > recoveredAfter || w.last.Sub(w.first) < failureTolerance {
		return nil
	}
	return fmt.Errorf("watches of the API server have failed for %s: %w", w.last.Sub(w.first).Round(time.Second), w.why)
}

// reason is the last error of a watch; nil for none.
func (w *Watches) reason() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

// Check is a readiness check of a manager's process.
type Check struct {
	watches *Watches
	synced  map[string]func() bool
	elected <-chan struct{}
	working atomic.Bool
	log     logr.Logger

	mu         sync.Mutex
	lastReason string
}

// Add adds a Check of the informers of some objects, by the names to report, to a manager.
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

// work runs as long as the controllers do, once this replica leads.
func (c *Check) work(ctx context.Context) error {
	c.working.Store(true)
	defer c.working.Store(false)
	<-ctx.Done()
	return nil
}

// Ready is a healthz.Checker. It logs the reason once when it changes, as probes do not show it.
func (c *Check) Ready(*http.Request) error {
	err := c.state()
	text := ""
	if err != nil {
		text = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if text != c.lastReason {
		if err != nil {
			c.log.Info("not ready", "reason", text)
		} else {
			c.log.Info("ready again")
		}
	}
	c.lastReason = text
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
			return errors.New("this replica leads, but its controllers do not run")
		}
	default: // another replica leads; this one is on standby with synced caches
	}
	return c.watches.failing()
}
