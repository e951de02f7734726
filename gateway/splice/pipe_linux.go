package splice

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// pipeSize is the size of a pipe in bytes. 256 of them fit into what the kernel grants an unprivileged user.
const pipeSize = 256 << 10

type pipe struct {
	read, write int
	cleanup     runtime.Cleanup
}

// pipes pools pipes. Those that the pool drops are closed by the cleanup.
var pipes sync.Pool

func takePipe() *pipe {
	if p, ok := pipes.Get().(*pipe); ok {
		return p
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil
	}
	// Where the kernel refuses, the pipe has its usual size, which serves too.
	_, _ = unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, pipeSize)
	p := &pipe{read: fds[0], write: fds[1]}
	p.cleanup = runtime.AddCleanup(p, closeBoth, fds)
	return p
}

func (p *pipe) close() {
	p.cleanup.Stop()
	closeBoth([2]int{p.read, p.write})
}

func closeBoth(fds [2]int) {
	unix.Close(fds[0])
	unix.Close(fds[1])
}
