package host

import (
	"encoding/json"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/policy"
)

// planUsage is what a plan requests of the organization's cluster.
func planUsage(spec *v1alpha1.MemberPlanSpec) (policy.Usage, error) {
	raw, err := json.Marshal(spec)
	if err != nil {
		return policy.Usage{}, fmt.Errorf("encode the plan: %w", err)
	}
	u := policy.Usage{Bytes: int64(len(raw)), Nodes: int64(len(spec.Nodes)), Contracts: int64(len(spec.Contracts))}
	for _, n := range spec.Nodes {
		if n.Storage.Size != nil {
			u.Storage += max(n.Storage.Size.Value(), 0)
		}
		maxUsage(&u, n.Resources)
	}
	for _, c := range spec.Contracts {
		maxUsage(&u, c.Resources)
	}
	return u, nil
}

// maxUsage raises the maxima to a pod's requests and limits.
func maxUsage(u *policy.Usage, resources *corev1.ResourceRequirements) {
	if resources == nil {
		return
	}
	for _, list := range []corev1.ResourceList{resources.Requests, resources.Limits} {
		u.PodMilliCPU = max(u.PodMilliCPU, list.Cpu().MilliValue())
		u.PodMemory = max(u.PodMemory, list.Memory().Value())
	}
}

// usageTracker holds the usage of every mirrored plan, and admits no plan that would exceed the organization's limits.
// Plans are admitted one at a time.
type usageTracker struct {
	limits policy.Limits

	mu   sync.Mutex
	used map[string]policy.Usage
}

// addExisting adds an existing mirror.
func (c *usageTracker) addExisting(mirror *v1alpha1.MemberPlan) {
	c.mu.Lock()
	_, known := c.used[mirror.Name]
	c.mu.Unlock()
	if known {
		return
	}
	u, err := planUsage(&mirror.Spec)
	if err != nil {
		u = policy.Usage{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.used[mirror.Name]; !known {
		c.used[mirror.Name] = u
	}
}

// admit admits a plan, or says which limit it would exceed. undo reverts that if the plan could not be mirrored.
func (c *usageTracker) admit(plan *v1alpha1.MemberPlan) (why string, undo func()) {
	next, err := planUsage(&plan.Spec)
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

// forget removes a deleted mirror.
func (c *usageTracker) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.used, name)
}
