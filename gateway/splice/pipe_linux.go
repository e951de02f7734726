package splice

import (
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A pipe is largePipe bytes in size while there are no more than maxLarge of that, and smallPipe otherwise: the larger it is the
// less a byte costs, and an unprivileged user may have 64 MiB of them (fs.pipe-user-pages-soft), after which every new one is of
// two pages. All large ones and 128 small ones fit.
const (
	largePipe = 1 << 20
	maxLarge  = 32
	smallPipe = 256 << 10
)

type pipe struct {
	ends
	cleanup runtime.Cleanup
}

type ends struct {
	read, write, size int
}

// pipes pools pipes. Those that the pool drops are closed by the cleanup.
var (
	pipes sync.Pool
	large atomic.Int32
)

func takePipe() *pipe {
	if p, ok := pipes.Get().(*pipe); ok {
		return p
	}
	return newPipe()
}

// newPipe is nil if no pipe can be made.
func newPipe() *pipe {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil
	}
	p := &pipe{ends: ends{read: fds[0], write: fds[1], size: smallPipe}}
	if large.Add(1) <= maxLarge {
		p.size = largePipe
	} else {
		large.Add(-1)
	}
	// Where the kernel refuses, the pipe has its usual size, which serves too.
	_, _ = unix.FcntlInt(uintptr(p.read), unix.F_SETPIPE_SZ, p.size)
	p.cleanup = runtime.AddCleanup(p, ends.close, p.ends)
	return p
}

func (p *pipe) close() {
	p.cleanup.Stop()
	p.ends.close()
}

func (e ends) close() {
	if e.size == largePipe {
		large.Add(-1)
	}
	unix.Close(e.read)
	unix.Close(e.write)
}
