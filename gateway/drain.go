package gateway

import (
	"net"
	"time"

	"github.com/hanse-io/hanse/gateway/splice"
)

const (
	// defaultPause is longer than what passes between the packets of one request and its answer, and short enough that even
	// a busy stream has one.
	defaultPause = 50 * time.Millisecond
	// pauseInterval is how often it is looked for a pause.
	pauseInterval = 10 * time.Millisecond
)

// drain ends a gateway that is asked to stop, so that its clients come to another one without a failed request.
//
// For DrainDelay it works on as before: the cluster takes a moment to send new connections elsewhere. It stays ready
// meanwhile. Of a pod that is being deleted the endpoint is not ready anyway; but while the pod itself is, kube-proxy
// still sends it what comes in at a node without another gateway (externalTrafficPolicy: Local), which would otherwise be
// dropped until the next one runs.
//
// Then it accepts no connection, and is not ready. Probes are closed, so that the far gateways probe whichever replica
// answers. Other connections continue for DrainTimeout, in which single requests end. Fabric's streams never do: each is
// closed at its next pause, which is most likely between two requests, and after CloseTimeout in any case. Last comes kill.
func (g *gateway) drain(inside, lines net.Listener, kill func()) {
	g.log.Info("asked to stop; connections are accepted a little longer", "delay", g.o.DrainDelay, "drain", g.o.DrainTimeout)
	<-g.o.Clock.After(g.o.DrainDelay)
	g.stopping.Store(true)
	inside.Close()
	lines.Close()
	done := make(chan struct{})
	go func() {
		g.connections.Wait()
		close(done)
	}()
	// Half-open connections are closed at once.
	g.flows.closeIf(func(f *flow) bool { return f.direction == probing })
	g.inside.closePending()
	g.outside.closePending()
	select {
	case <-done:
		return
	case <-g.o.Clock.After(g.o.DrainTimeout):
	}
	g.closeAtPauses(done)
	g.drained.Store(true)
	kill()
	n := g.flows.closeIf(func(*flow) bool { return true })
	g.log.Info("drained; the remaining connections are closed", "connections", n)
	<-done
}

// closeAtPauses closes each connection once both its ends have been silent for a moment, until all are closed or
// CloseTimeout is over.
func (g *gateway) closeAtPauses(done <-chan struct{}) {
	limit := g.o.Clock.After(g.o.CloseTimeout)
	tick := g.o.Clock.NewTicker(pauseInterval)
	defer tick.Stop()
	for {
		n := g.flows.closeIf(func(f *flow) bool {
			return f.server == nil || min(splice.Silence(f.client), splice.Silence(f.server)) >= g.o.pause
		})
		if n > 0 {
			g.log.Info("connections that do not end were closed; their clients reconnect", "connections", n)
		}
		select {
		case <-done:
			return
		case <-limit:
			return
		case <-tick.C():
		}
	}
}
