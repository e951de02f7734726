package consortium

import (
	"context"
	"errors"
	"testing"
)

func TestSlots(t *testing.T) {
	var s slots
	for range maxWrites {
		if err := s.take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.take(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("one more than there are: %v", err)
	}
	s.free()
	if err := s.take(t.Context()); err != nil {
		t.Error(err)
	}
}
