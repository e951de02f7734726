package watcher

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// retry is how soon a watch that failed is tried again. The reflector's own half a minute is long for somebody who looks on.
var retry = wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 100, Cap: 10 * time.Second}

// watched is one source's watch. A reflector keeps its store up to date.
type watched struct {
	store cache.Store
	stop  context.CancelFunc

	mu              sync.Mutex
	listed, started bool
	err             error
}

// synced is whether the objects have been read and then watched: who may list and not watch would look at what stands still.
func (w *watched) synced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.listed && w.started
}

func (w *watched) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// note takes down how a request has ended, and says whether that is news. Only a watch that has begun ends a failure: where
// lists are allowed and watches are not, the two would take turns.
func (w *watched) note(err error, watch bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	var news bool
	switch {
	case err != nil:
		news = w.err == nil || w.err.Error() != err.Error()
		w.err = err
	case watch:
		news = w.err != nil || !w.started
		w.err, w.started = nil, true
	}
	return news
}

// start starts a source's watch.
func (c *Cache) start(ctx context.Context, source Source) *watched {
	ctx, stop := context.WithCancel(ctx)
	w := &watched{store: cache.NewStore(cache.MetaNamespaceKeyFunc), stop: stop}
	expected, err := c.client.Scheme().New(source.Kind)
	if err != nil {
		w.err = err
		return w
	}
	done := func(err error, watch bool) {
		if ctx.Err() == nil && w.note(err, watch) {
			c.signal()
		}
	}
	listed := func() {
		w.mu.Lock()
		w.listed = true
		w.mu.Unlock()
		c.signal()
	}
	// What goes wrong is told by Failures; a log would be written across what is drawn.
	quiet, backoff := logr.Discard(), retry
	reflector := cache.NewReflectorWithOptions(&requests{c.client, source, done}, expected, observedStore{w.store, listed, c.signal},
		cache.ReflectorOptions{Backoff: &backoff, Logger: &quiet})
	go reflector.RunWithContext(klog.NewContext(ctx, quiet))
	return w
}

// observedStore tells of every change.
type observedStore struct {
	cache.Store
	listed, changed func()
}

func (s observedStore) Add(obj any) error {
	defer s.changed()
	return s.Store.Add(obj)
}

func (s observedStore) Update(obj any) error {
	defer s.changed()
	return s.Store.Update(obj)
}

func (s observedStore) Delete(obj any) error {
	defer s.changed()
	return s.Store.Delete(obj)
}

func (s observedStore) Replace(objects []any, version string) error {
	defer s.listed()
	return s.Store.Replace(objects, version)
}

// requests are the two that a reflector makes.
type requests struct {
	client client.WithWatch
	source Source
	// done is told how each of them has ended, and whether it was the watch.
	done func(err error, watch bool)
}

// IsWatchListSemanticsUnSupported has the reflector list first, and then watch: API servers of every age serve that.
func (r *requests) IsWatchListSemanticsUnSupported() bool { return true }

func (r *requests) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	if options.ResourceVersion == "0" {
		// "0" means anything that some API server still has in its cache. Whoever has just applied a change and now waits
		// until it is ready must not be told of the state before.
		options.ResourceVersion = ""
	}
	list, err := r.list()
	if err == nil {
		err = r.client.List(ctx, list, r.selected(options))
	}
	r.done(err, false)
	return list, err
}

// errCut is what a watch ends with that has not begun.
var errCut = errors.New("the cluster has cut the connection, or has not answered in time")

func (r *requests) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	list, err := r.list()
	if err != nil {
		return nil, err
	}
	events, err := r.client.Watch(ctx, list, r.selected(options))
	if _, streams := events.(*watch.StreamWatcher); err == nil && !streams {
		// client-go makes an empty watch of a connection that was cut or timed out while the watch began.
		err = errCut
	}
	r.done(err, true)
	return events, err
}

// List and Watch are for callers without a context; the reflector is none.
func (r *requests) List(options metav1.ListOptions) (runtime.Object, error) {
	return r.ListWithContext(context.Background(), options)
}

func (r *requests) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return r.WatchWithContext(context.Background(), options)
}

func (r *requests) list() (client.ObjectList, error) {
	kind := r.source.Kind
	kind.Kind += "List"
	made, err := r.client.Scheme().New(kind)
	if err != nil {
		return nil, err
	}
	return made.(client.ObjectList), nil
}

// selected are the options of a request. One object is selected by its name, for which the right to that one suffices.
func (r *requests) selected(options metav1.ListOptions) *client.ListOptions {
	out := &client.ListOptions{Raw: &options, Namespace: r.source.Namespace}
	if r.source.Name != "" {
		out.FieldSelector = fields.OneTermEqualSelector("metadata.name", r.source.Name)
	}
	// The client takes these two from its own options, not from the raw ones.
	out.Limit, out.Continue = options.Limit, options.Continue
	return out
}

func compare(a, b Source) int {
	return cmp.Or(cmp.Compare(a.Kind.Kind, b.Kind.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
