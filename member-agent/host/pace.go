package host

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// paceInterval is how often a mirror is written anew at the most, once paceBurst is used up: the host decides on how
	// often a plan changes, and one consortium's plan must not keep the workers from another's.
	paceInterval = time.Second
	paceBurst    = 30
)

// pace bounds how often each mirror is written.
type pace struct {
	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

// wait says how long to wait until the mirror of that name may be written; nothing when it may be now.
func (p *pace) wait(name string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.limiters) >= maxNames {
		clear(p.limiters)
	}
	l, ok := p.limiters[name]
	if !ok {
		l = rate.NewLimiter(rate.Every(paceInterval), paceBurst)
		p.limiters[name] = l
	}
	if l.AllowN(now, 1) {
		return 0
	}
	return paceInterval
}
