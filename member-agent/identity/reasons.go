package identity

import (
	"sync"
	"time"
)

// fetchInterval is how often cert-manager's Certificates are read for why one is not issued. They are not watched: the
// agent watches the resulting Secrets.
const fetchInterval = 10 * time.Second

// reasonCache caches cert-manager's message for each namespace.
type reasonCache struct {
	mu          sync.Mutex
	byNamespace map[string]cachedReason
}

type cachedReason struct {
	fetched time.Time
	text    string
}

// get is the cached message, or the result of fetch if that is older than fetchInterval.
func (r *reasonCache) get(namespace string, now time.Time, fetch func() string) string {
	r.mu.Lock()
	last, ok := r.byNamespace[namespace]
	r.mu.Unlock()
	if ok && now.Sub(last.fetched) < fetchInterval {
		return last.text
	}
	next := cachedReason{fetched: now, text: fetch()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byNamespace == nil {
		r.byNamespace = map[string]cachedReason{}
	}
	r.byNamespace[namespace] = next
	return next.text
}

// forget drops the message of a namespace.
func (r *reasonCache) forget(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byNamespace, namespace)
}
