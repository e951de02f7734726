package propagation

import (
	"context"
	"fmt"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/bench/controlplanes"
	"github.com/hanse-io/hanse/hack/bench/figures"
)

// idle does nothing for a while and counts what the agent asks of the host meanwhile, from the host's audit log.
func idle(ctx context.Context, p *controlplanes.ControlPlanes, long time.Duration, s *figures.Set) error {
	_, offset, err := p.Host.Requests(0)
	if err != nil {
		return err
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
	}
	requests, _, err := p.Host.Requests(offset)
	if err != nil {
		return err
	}
	kinds := map[string]int{}
	count := 0
	for _, r := range requests {
		if r.Of(v1alpha1.MemberUser(controlplanes.Member)) && r.Received.After(began) {
			kinds[r.Verb+" "+r.Resource+r.Subresource]++
			count++
		}
	}
	s.AtMost("host requests of an idle Member", "/min", 1, float64(count)/long.Minutes())
	s.Note("an idle Member asked the host %d times in %s: %s", count, long, fmt.Sprint(kinds))
	rss, err := p.Agent.RSS()
	s.AtMost("agent memory, idle", "MB", 45, rss)
	return err
}
