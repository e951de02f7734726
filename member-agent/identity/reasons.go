package identity

import (
	"sync"
	"time"
)

// fetchInterval is how often Certificates in the agent's own namespace are read for why one is not issued. Those of the
// consortia are watched.
const fetchInterval = 10 * time.Second

// reasonCache caches cert-manager's message about the organization's own certificates.
type reasonCache struct {
	mu      sync.Mutex
	fetched time.Time
	text    string
}

// get is the cached message, or the result of fetch if that is older than fetchInterval.
func (r *reasonCache) get(now time.Time, fetch func() string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fetched.IsZero() || now.Sub(r.fetched) >= fetchInterval {
		r.fetched, r.text = now, fetch()
	}
	return r.text
}
