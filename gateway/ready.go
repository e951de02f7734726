package gateway

import (
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/internal/routing"
)

// firstProbesTimeout is how long a gateway that has got its first routes waits for the first results of its probes. A line
// without an answer is down sooner; one whose far end cannot be resolved or authenticated may not be.
const firstProbesTimeout = 3 * time.Second

// notReady says why the gateway is to get no connections, and is empty once it is to. A new gateway is ready when it knows which
// lines are up, so that it does not send its first connections over one that is down. Later, the state of lines does not matter:
// without any, a gateway serves its own cluster.
func (g *gateway) notReady() string {
	switch {
	case g.stopping.Load():
		return "the gateway is stopping"
	case !g.hasRoutes.Load():
		return "no routes yet: the member agent writes them into ConfigMap " + routing.RoutesConfigMap
	case !g.linesProbed():
		return "the lines are being probed for the first time"
	}
	return ""
}

// linesProbed is whether each line was probed once, or that has taken too long. It stays true.
func (g *gateway) linesProbed() bool {
	if g.probed.Load() {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.o.Clock.Since(g.routesSince) < firstProbesTimeout && anyUnknown(g.states) {
		return false
	}
	g.probed.Store(true)
	return true
}

// anyUnknown is whether a line that is probed is neither up nor down yet.
func anyUnknown(states map[string]health.Snapshot) bool {
	for _, s := range states {
		if s.State == v1alpha1.LineUnknown {
			return true
		}
	}
	return false
}
