package identity

import (
	"sync"
	"time"
)

// askEvery is how often cert-manager is asked why a certificate is not there. Nothing tells of it: the agent watches
// Secrets, which certificates end in.
const askEvery = 10 * time.Second

// reasons remembers of each namespace what cert-manager has said of its certificates.
type reasons struct {
	mu    sync.Mutex
	known map[string]reason
}

type reason struct {
	asked time.Time
	text  string
}

// of is what was said last, or what ask says if it is time to ask.
func (r *reasons) of(namespace string, now time.Time, ask func() string) string {
	r.mu.Lock()
	last, ok := r.known[namespace]
	r.mu.Unlock()
	if ok && now.Sub(last.asked) < askEvery {
		return last.text
	}
	next := reason{asked: now, text: ask()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]reason{}
	}
	r.known[namespace] = next
	return next.text
}

// forget is called when there is nothing more to ask.
func (r *reasons) forget(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, namespace)
}
