package propagation

import (
	"context"
	"fmt"
	"sync"
	"time"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/bench/controlplanes"
)

// change is one change on its way. A zero time has not come.
type change struct {
	version                        string
	accepted, mirrored, reportedAt time.Time
}

// tracker watches both clusters and notes when each change arrives where.
type tracker struct {
	mu      sync.Mutex
	changes map[string]*change
	// moved is told of every event.
	moved chan struct{}
	last  time.Time
	// settled says of each consortium whether the agent has seen the plan as it stands.
	settled map[string]bool
	close   func()
}

// track begins to watch. Informers, for an API server drops a plain watch that does not keep up with a burst.
func track(ctx context.Context, p *controlplanes.ControlPlanes) (*tracker, error) {
	ctx, stop := context.WithCancel(ctx)
	t := &tracker{changes: map[string]*change{}, settled: map[string]bool{}, moved: make(chan struct{}, 1), last: time.Now(), close: stop}
	for _, w := range []struct {
		plane     *controlplanes.ControlPlane
		namespace string
		kind      client.Object
		see       func(o any, now time.Time)
	}{
		{p.Host, namespace, &v1alpha1.Contract{}, t.seeContract},
		{p.Host, v1alpha1.MemberNamespace(controlplanes.Member), &v1alpha1.MemberPlan{}, t.seePlan},
		{p.Own, controlplanes.Namespace, &v1alpha1.MemberPlan{}, t.seeMirror},
	} {
		if err := t.follow(ctx, w.plane, w.namespace, w.kind, w.see); err != nil {
			stop()
			return nil, fmt.Errorf("watch: %w", err)
		}
	}
	return t, nil
}

// follow tells of every object of a kind in a namespace, as it is and as it becomes.
func (t *tracker) follow(ctx context.Context, plane *controlplanes.ControlPlane, namespace string, kind client.Object, see func(o any, now time.Time)) error {
	c, err := cache.New(plane.Config, cache.Options{
		Scheme: plane.Client.Scheme(), Mapper: plane.Client.RESTMapper(), DefaultNamespaces: map[string]cache.Config{namespace: {}},
	})
	if err != nil {
		return err
	}
	informer, err := c.GetInformer(ctx, kind, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	tell := func(o any) { t.tell(o, see) }
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: tell, UpdateFunc: func(_, o any) { tell(o) },
	}); err != nil {
		return err
	}
	go func() { _ = c.Start(ctx) }()
	if !c.WaitForCacheSync(ctx) {
		return ctx.Err()
	}
	return nil
}

func (t *tracker) tell(o any, see func(o any, now time.Time)) {
	now := time.Now()
	t.mu.Lock()
	see(o, now)
	t.last = now
	t.mu.Unlock()
	select {
	case t.moved <- struct{}{}:
	default:
	}
}

func (t *tracker) seeContract(o any, now time.Time) {
	if c, ok := o.(*v1alpha1.Contract); ok {
		if change := t.changes[c.Name]; change != nil && change.accepted.IsZero() && c.Spec.Version == change.version {
			change.accepted = now
		}
	}
}

func (t *tracker) seePlan(o any, now time.Time) {
	plan, ok := o.(*v1alpha1.MemberPlan)
	if !ok {
		return
	}
	current := len(plan.Spec.Contracts) == 1 && plan.Status.ObservedGeneration == plan.Generation
	t.settled[plan.Name] = current
	if change := t.changes[plan.Name]; change != nil && current && change.reportedAt.IsZero() && plan.Spec.Contracts[0].Version == change.version {
		change.reportedAt = now
	}
}

func (t *tracker) seeMirror(o any, now time.Time) {
	plan, ok := o.(*v1alpha1.MemberPlan)
	if !ok || len(plan.Spec.Contracts) != 1 {
		return
	}
	if change := t.changes[plan.Name]; change != nil && change.mirrored.IsZero() && plan.Spec.Contracts[0].Version == change.version {
		change.mirrored = now
	}
}

// expect begins a change.
func (t *tracker) expect(name, version string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes[name] = &change{version: version}
}

// accepted notes that the API server has answered, if the watch has not told so before.
func (t *tracker) accepted(name string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.changes[name]; c.accepted.IsZero() || at.Before(c.accepted) {
		c.accepted = at
	}
}

// arrived says whether a change has come back.
func (t *tracker) arrived(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.changes[name].reportedAt.IsZero() && !t.changes[name].mirrored.IsZero()
}

// wait waits until done says so, looking again at every event.
func (t *tracker) wait(ctx context.Context, limit time.Duration, what string, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not come within %s", what, limit)
		case <-t.moved:
		case <-tick.C:
		}
	}
	return nil
}

// quiet waits until n consortia are settled and nothing has moved for a while.
func (t *tracker) quiet(ctx context.Context, n int, still, limit time.Duration) error {
	return t.wait(ctx, limit, fmt.Sprintf("a quiet state of %d consortia", n), func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		settled := 0
		for _, is := range t.settled {
			if is {
				settled++
			}
		}
		return settled >= n && time.Since(t.last) > still
	})
}

// times takes the times of everything that has arrived, in milliseconds, and forgets the changes.
func (t *tracker) times(names []string) (down, back []float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		c := t.changes[name]
		down = append(down, float64(c.mirrored.Sub(c.accepted).Microseconds())/1000)
		back = append(back, float64(c.reportedAt.Sub(c.accepted).Microseconds())/1000)
		delete(t.changes, name)
	}
	return down, back
}
