package host

import (
	"encoding/json"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/policy"
)

// measure is what a plan asks of the organization's cluster.
func measure(spec *v1alpha1.MemberPlanSpec) (policy.Usage, error) {
	raw, err := json.Marshal(spec)
	if err != nil {
		return policy.Usage{}, fmt.Errorf("encode the plan: %w", err)
	}
	u := policy.Usage{Bytes: int64(len(raw)), Nodes: int64(len(spec.Nodes)), Contracts: int64(len(spec.Contracts))}
	for _, n := range spec.Nodes {
		if n.Storage.Size != nil {
			u.Storage += max(n.Storage.Size.Value(), 0)
		}
		largest(&u, n.Resources)
	}
	for _, c := range spec.Contracts {
		largest(&u, c.Resources)
	}
	return u, nil
}

// largest takes over what a pod asks for, where that is more.
func largest(u *policy.Usage, resources *corev1.ResourceRequirements) {
	if resources == nil {
		return
	}
	for _, list := range []corev1.ResourceList{resources.Requests, resources.Limits} {
		u.PodMilliCPU = max(u.PodMilliCPU, list.Cpu().MilliValue())
		u.PodMemory = max(u.PodMemory, list.Memory().Value())
	}
}

// ceiling knows what every mirrored plan asks for, and lets no plan in that would exceed the organization's limits. Plans
// are let in one after the other, however many arrive at once.
type ceiling struct {
	limits policy.Limits

	mu   sync.Mutex
	used map[string]policy.Usage
}

// know takes over a mirror that there is already.
func (c *ceiling) know(mirror *v1alpha1.MemberPlan) {
	c.mu.Lock()
	_, known := c.used[mirror.Name]
	c.mu.Unlock()
	if known {
		return
	}
	u, err := measure(&mirror.Spec)
	if err != nil {
		u = policy.Usage{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.used[mirror.Name]; !known {
		c.used[mirror.Name] = u
	}
}

// admit lets a plan in, or says which limit it would exceed. undo takes it back, if it could not be mirrored.
func (c *ceiling) admit(plan *v1alpha1.MemberPlan) (why string, undo func()) {
	next, err := measure(&plan.Spec)
	if err != nil {
		return err.Error(), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var before *policy.Usage
	var others []policy.Usage
	for name, u := range c.used {
		if name == plan.Name {
			before = &u
		} else {
			others = append(others, u)
		}
	}
	if _, why := c.limits.Exceeded(next, before, others); why != "" {
		return why, nil
	}
	c.used[plan.Name] = next
	return "", func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if before != nil {
			c.used[plan.Name] = *before
		} else {
			delete(c.used, plan.Name)
		}
	}
}

// forget is told of a mirror that is no more.
func (c *ceiling) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.used, name)
}
