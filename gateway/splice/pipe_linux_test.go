package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestPipes: a few pipes are large, and those after them small, until a large one is closed.
func TestPipes(t *testing.T) {
	before := large.Swap(0)
	var taken []*pipe
	take := func() *pipe {
		p := newPipe()
		if p == nil {
			t.Fatal("no pipe can be made")
		}
		taken = append(taken, p)
		return p
	}
	t.Cleanup(func() {
		for _, p := range taken {
			p.close()
		}
		large.Add(before)
	})
	for range maxLarge {
		if p := take(); p.size != largePipe {
			t.Fatalf("pipe %d of %d is of %d bytes", len(taken), maxLarge, p.size)
		}
	}
	small := take()
	if got, err := unix.FcntlInt(uintptr(small.read), unix.F_GETPIPE_SZ, 0); err != nil || got > smallPipe {
		t.Errorf("one more is of %d bytes, %v", got, err)
	}
	taken[0].close()
	taken = taken[1:]
	if p := take(); p.size != largePipe {
		t.Errorf("after one was closed, the next is of %d bytes", p.size)
	}
}
