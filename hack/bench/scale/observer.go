package scale

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/bench/controlplanes"
)

// observer watches what the controller and the agents write.
type observer struct {
	agents *agents

	mu   sync.Mutex
	last time.Time
	// changes counts what was written since begin, by kind.
	changes map[string]int
	// ready are the Consortia and Lines that are, open the plans whose last generation has not been answered.
	ready map[string]map[client.ObjectKey]bool
	open  map[client.ObjectKey]bool
	plans map[client.ObjectKey]bool
}

// observe begins to watch, and the agents to answer.
func observe(ctx context.Context, plane *controlplanes.ControlPlane) (*observer, error) {
	o := &observer{
		agents: newAgents(plane.Client), last: time.Now(), changes: map[string]int{},
		ready: map[string]map[client.ObjectKey]bool{}, open: map[client.ObjectKey]bool{}, plans: map[client.ObjectKey]bool{},
	}
	c, err := cache.New(plane.Config, cache.Options{
		Scheme: plane.Client.Scheme(), Mapper: plane.Client.RESTMapper(), DefaultTransform: cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, err
	}
	for _, kind := range []client.Object{&v1alpha1.MemberPlan{}, &v1alpha1.Consortium{}, &v1alpha1.Channel{}, &v1alpha1.Contract{}, &v1alpha1.Line{}} {
		informer, err := c.GetInformer(ctx, kind, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, err
		}
		if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc: o.see, UpdateFunc: func(_, object any) { o.see(object) },
		}); err != nil {
			return nil, err
		}
	}
	go func() { _ = c.Start(ctx) }()
	go o.agents.run(ctx)
	if !c.WaitForCacheSync(ctx) {
		return nil, ctx.Err()
	}
	return o, nil
}

func (o *observer) see(object any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = time.Now()
	switch x := object.(type) {
	case *v1alpha1.MemberPlan:
		o.changes["MemberPlan"]++
		key := client.ObjectKeyFromObject(x)
		o.plans[key] = true
		if delete(o.open, key); x.Status.ObservedGeneration != x.Generation {
			o.open[key] = true
		}
		o.agents.see(x)
	case *v1alpha1.Consortium:
		o.note("Consortium", x, x.Status.Conditions)
	case *v1alpha1.Line:
		o.note("Line", x, x.Status.Conditions)
	case *v1alpha1.Channel:
		o.note("Channel", x, x.Status.Conditions)
	case *v1alpha1.Contract:
		o.note("Contract", x, x.Status.Conditions)
	}
}

func (o *observer) note(kind string, object client.Object, conditions []metav1.Condition) {
	o.changes[kind]++
	if o.ready[kind] == nil {
		o.ready[kind] = map[client.ObjectKey]bool{}
	}
	key := client.ObjectKeyFromObject(object)
	if delete(o.ready[kind], key); meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) {
		o.ready[kind][key] = true
	}
}

// begin forgets what was counted.
func (o *observer) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes, o.last = map[string]int{}, time.Now()
}

// still is how long nothing may be written before a state counts as the last one: longer than the controller and agents
// wait before they act.
const still = 2 * time.Second

// settled waits until everything of a size is ready and nothing has been written for a while. It returns when the last
// write was seen, and how many there were of each kind.
func (o *observer) settled(ctx context.Context, controller *controlplanes.Process, size Size, least int, limit time.Duration) (time.Time, map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		done, last, state := o.state(size, least)
		if done {
			return last, state, nil
		}
		if err := controller.Running(); err != nil {
			return last, nil, err
		}
		select {
		case <-ctx.Done():
			return last, nil, fmt.Errorf("%s: not settled within %s: %v", size, limit, state)
		case <-tick.C:
		}
	}
}

// state says whether everything is ready and at least so many writes of plans were seen, and what was seen.
func (o *observer) state(size Size, least int) (done bool, last time.Time, state map[string]int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	state = map[string]int{"open plans": len(o.open), "plans": len(o.plans)}
	for kind, n := range o.changes {
		state[kind+" changes"] = n
	}
	for kind, ready := range o.ready {
		state[kind+" ready"] = len(ready)
	}
	n := size.consortia()
	done = len(o.open) == 0 && len(o.plans) == size.plans() && o.changes["MemberPlan"] >= least && time.Since(o.last) > still
	for kind, want := range map[string]int{"Consortium": n, "Channel": n, "Contract": n, "Line": int(size) * (groupMembers - 1) / 2} {
		done = done && len(o.ready[kind]) == want
	}
	return done, o.last, state
}
