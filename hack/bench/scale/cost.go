package scale

import (
	"context"
	"time"

	"github.com/hanse-io/hanse/hack/bench/controlplanes"
)

// auditDelay is how long the API server may keep audit events to itself.
const auditDelay = 2 * time.Second

// controllerUser is who the controller is to the API server.
const controllerUser = "system:serviceaccount:" + controlplanes.Namespace + ":federation"

// cost is what something costs. Its counts are there after end.
type cost struct {
	p      *controlplanes.ControlPlanes
	offset int64
	before map[string]float64

	// CPU time of the API server and of the controller in seconds.
	server, controller float64
	// requests of the controller; writes are those that change something of its own work.
	requests, writes int
	// verbs counts requests by verb and resource.
	verbs map[string]int
}

func startCost(p *controlplanes.ControlPlanes) (*cost, error) {
	_, offset, err := p.Host.Requests(0)
	return &cost{p: p, offset: offset, before: p.CPU(), verbs: map[string]int{}}, err
}

// end takes the costs since the start.
func (c *cost) end(ctx context.Context) error {
	after := c.p.CPU()
	c.server = after["host kube-apiserver"] - c.before["host kube-apiserver"]
	c.controller = after["federation"] - c.before["federation"]
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(auditDelay):
	}
	requests, _, err := c.p.Host.Requests(c.offset)
	if err != nil {
		return err
	}
	for _, r := range requests {
		if !r.Of(controllerUser) {
			continue
		}
		c.requests++
		c.verbs[r.Verb+" "+r.Resource+r.Subresource]++
		switch {
		case r.Verb == "get" || r.Verb == "list" || r.Verb == "watch":
		case r.Resource == "leases" || r.Resource == "events": // the election of a leader, and what tells of changes
		default:
			c.writes++
		}
	}
	return nil
}
