package fabric

import (
	"slices"
	"sync"
	"time"
)

const (
	// latencyFactor is how many times the usual latency a transaction may take before it is late.
	latencyFactor = 3
	// A client may submit as many transactions again as it has tokens: budgetBurst at most, as many as may be lost before a cut
	// line is noticed; budgetShare more with each commit, and budgetRate with each second.
	budgetBurst, budgetShare, budgetRate = 64, 0.1, 2
)

// pace says when a client's transactions are late, and how many of them are submitted again. Where everything takes long, the
// nodes are busy, and to submit everything again would keep them so.
type pace struct {
	floor time.Duration

	mu       sync.Mutex
	recent   [32]time.Duration // latencies of commits
	commits  int
	tokens   float64
	refilled time.Time
}

func newPace(floor time.Duration) *pace {
	return &pace{floor: floor, tokens: budgetBurst, refilled: time.Now()}
}

// committed takes the time from a transaction's first submission to its commit.
func (p *pace) committed(latency time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recent[p.commits%len(p.recent)] = latency
	p.commits++
	p.tokens = min(p.tokens+budgetShare, budgetBurst)
}

// late is when a transaction is late. By the median, those that were lost do not count while they are fewer than half.
func (p *pace) late() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := slices.Sorted(slices.Values(p.recent[:min(p.commits, len(p.recent))]))
	if len(known) == 0 {
		return p.floor
	}
	return max(p.floor, latencyFactor*known[len(known)/2])
}

// again takes a token, and is false if there is none.
func (p *pace) again() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.tokens = min(p.tokens+now.Sub(p.refilled).Seconds()*budgetRate, budgetBurst)
	p.refilled = now
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}
