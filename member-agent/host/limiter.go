package host

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// writeInterval is the minimum time between two updates of a mirror once writeBurst is used up: the host decides how
	// often a plan changes, and one consortium's plan must not occupy all workers.
	writeInterval = time.Second
	writeBurst    = 30
)

// writeLimiter bounds how often each mirror is written.
type writeLimiter struct {
	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

// wait is the delay until the mirror of that name may be written; 0 if it may be now.
func (p *writeLimiter) wait(name string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.limiters) >= maxNames {
		clear(p.limiters)
	}
	l, ok := p.limiters[name]
	if !ok {
		l = rate.NewLimiter(rate.Every(writeInterval), writeBurst)
		p.limiters[name] = l
	}
	if l.AllowN(now, 1) {
		return 0
	}
	return writeInterval
}
