package host

import (
	"strconv"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// recentPlanBytes is how large a plan may be, in bytes of JSON, to be kept.
	recentPlanBytes = 32 << 10
	// recentBytes is how much is kept in all: the host does not determine how much memory the agent needs.
	recentBytes = 4 << 20
)

// recentPlans keeps the host's small plans as they were last read or written, for as long as the watch shows no newer version:
// a plan is looked at for each change of its mirror's status too, and for the echo of each report, and reading it then anew was
// most of an agent's requests. It may be lost.
type recentPlans struct {
	mu    sync.Mutex
	bytes int
	plans map[string]recentPlan
	// newest is the newest version that the watch has shown of a plan.
	newest map[string]uint64
}

type recentPlan struct {
	plan    *v1alpha1.MemberPlan
	version uint64
	bytes   int
}

// changed takes a version that the watch shows. What is not a number is newer than anything.
func (r *recentPlans) changed(name, resourceVersion string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	version, ok := versionOf(resourceVersion)
	if !ok {
		r.drop(name)
		delete(r.newest, name)
		return
	}
	if r.newest == nil {
		r.newest = map[string]uint64{}
	}
	r.newest[name] = version
	if kept, ok := r.plans[name]; ok && kept.version < version {
		r.drop(name)
	}
}

// keep takes a plan that was read or written; it has about size bytes. One of which no version was shown is not kept: it would
// never be dropped.
func (r *recentPlans) keep(plan *v1alpha1.MemberPlan, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(plan.Name)
	version, ok := versionOf(plan.ResourceVersion)
	newest, shown := r.newest[plan.Name]
	if len(plan.Undecodable) > 0 || !ok || !shown || version < newest || size > recentPlanBytes || r.bytes+size > recentBytes {
		return
	}
	if r.plans == nil {
		r.plans = map[string]recentPlan{}
	}
	r.plans[plan.Name] = recentPlan{plan: plan.DeepCopy(), version: version, bytes: size}
	r.bytes += size
}

// wrote takes a plan as the host has answered a write of its status. Its size is that of when it was read.
func (r *recentPlans) wrote(plan *v1alpha1.MemberPlan) {
	r.mu.Lock()
	kept, ok := r.plans[plan.Name]
	r.mu.Unlock()
	if ok {
		r.keep(plan, kept.bytes)
	}
}

// get is a copy of a plan that is the newest; nil if it has to be read.
func (r *recentPlans) get(name string) *v1alpha1.MemberPlan {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, ok := r.plans[name]
	if !ok {
		return nil
	}
	return kept.plan.DeepCopy()
}

// forget drops a plan, after a conflict.
func (r *recentPlans) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(name)
}

// reset drops everything: nothing is known of what changed before a watch began.
func (r *recentPlans) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plans, r.newest, r.bytes = nil, nil, 0
}

func (r *recentPlans) drop(name string) {
	r.bytes -= r.plans[name].bytes
	delete(r.plans, name)
}

// versionOf is the number in a resource version: Kubernetes orders those of one kind as numbers.
func versionOf(resourceVersion string) (uint64, bool) {
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	return version, err == nil
}
