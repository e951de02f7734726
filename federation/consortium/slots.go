package consortium

import (
	"context"
	"sync"
)

// maxWrites is how many plans are written at once, of all Consortia together: more would be no faster, but wait in the API
// server, and the renewal of the controller's own leader lease with them.
const maxWrites = 32

// slots limits how many plans are written at once.
type slots struct {
	once  sync.Once
	taken chan struct{}
}

// take waits for a slot, which has to be freed, until ctx ends.
func (s *slots) take(ctx context.Context) error {
	s.once.Do(func() { s.taken = make(chan struct{}, maxWrites) })
	select {
	case s.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slots) free() { <-s.taken }
