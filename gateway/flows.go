package gateway

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/hanse-io/hanse/gateway/splice"
)

// flow is one established connection through the gateway.
type flow struct {
	direction     direction
	line          string // that it goes out over, if it does
	member        string // that the line leads to
	client        *net.TCPConn
	server        *net.TCPConn // nil for a probe, which ends here
	pair          *splice.Pair
	reportedBytes int64 // bytes that were reported of it; guarded by flows.mu
}

func (f *flow) close() {
	if f.pair != nil {
		f.pair.Close()
	} else {
		f.client.Close()
	}
}

// flows holds all flows. A flow is added and removed under a lock, which is not held while bytes are copied.
type flows struct {
	mu    sync.Mutex
	all   map[*flow]struct{}
	bytes map[direction]int64 // of flows that are over
}

func newFlows() *flows {
	return &flows{all: map[*flow]struct{}{}, bytes: map[direction]int64{}}
}

func (s *flows) add(f *flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[f] = struct{}{}
}

// remove counts the bytes that a flow has moved.
func (s *flows) remove(f *flow, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, f)
	// Not less than was reported already, or the counter would seem to have been reset.
	s.bytes[f.direction] += max(bytes, f.reportedBytes)
}

// count is the number of open flows in a direction and of its bytes, including those of open flows.
func (s *flows) count(d direction) (open int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes = s.bytes[d]
	for f := range s.all {
		if f.direction != d {
			continue
		}
		open++
		if f.server != nil {
			f.reportedBytes = max(f.reportedBytes, splice.Received(f.client)+splice.Received(f.server))
			bytes += f.reportedBytes
		}
	}
	return open, bytes
}

// closeIdle closes connections that have been idle for IdleTimeout, until ctx ends.
func (g *gateway) closeIdle(ctx context.Context) {
	tick := g.o.Clock.NewTicker(min(max(g.o.IdleTimeout/8, time.Millisecond), time.Minute))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C():
		}
		n := g.flows.closeIf(func(f *flow) bool {
			return f.server != nil && min(splice.Silence(f.client), splice.Silence(f.server)) > g.o.IdleTimeout
		})
		if n > 0 {
			g.metrics.closed.WithLabelValues(closedIdle).Add(float64(n))
			g.log.Info("idle connections were closed", "connections", n, "after", g.o.IdleTimeout)
		}
	}
}

// probes is how many probes of a member are being answered.
func (s *flows) probes(member string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.all {
		if f.direction == probing && f.member == member {
			n++
		}
	}
	return n
}

// closeIf closes the flows that match and returns how many there were.
func (s *flows) closeIf(match func(*flow) bool) int {
	s.mu.Lock()
	var found []*flow
	for f := range s.all {
		if match(f) {
			found = append(found, f)
		}
	}
	s.mu.Unlock()
	for _, f := range found {
		f.close()
	}
	return len(found)
}
