package splice

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// move copies everything from src to dst with splice(2), so that the bytes stay in the kernel.
//
// It differs from (*net.TCPConn).ReadFrom in one thing: a pipe is held only while there are bytes in it. ReadFrom holds
// one, of 1 MiB, for as long as it waits, so that a few dozen idle streams use up what the kernel grants an
// unprivileged user (fs.pipe-user-pages-soft), and every later pipe holds no more than two pages.
func move(dst, src *net.TCPConn) (int64, error) {
	in, err := src.SyscallConn()
	if err != nil {
		return 0, err
	}
	out, err := dst.SyscallConn()
	if err != nil {
		return 0, err
	}
	m := mover{in: in, out: out}
	defer m.release()
	m.fillFunc, m.drainFunc = m.fill, m.drain // made once, so that nothing is allocated on the way
	return m.run(dst, src)
}

type mover struct {
	in, out             syscall.RawConn
	fillFunc, drainFunc func(fd uintptr) bool
	pipe                *pipe
	held                int64 // bytes in the pipe
	moved               int64
	ended               bool
	err                 error
}

var errNoPipe = errors.New("no pipe can be made")

func (m *mover) run(dst, src *net.TCPConn) (int64, error) {
	for {
		if err := m.in.Read(m.fillFunc); err != nil {
			return m.moved, err
		}
		if errors.Is(m.err, errNoPipe) {
			return m.copy(dst, src)
		}
		if m.err != nil || m.ended {
			return m.moved, m.err
		}
		if err := m.out.Write(m.drainFunc); err != nil {
			return m.moved, err
		}
		if m.err != nil {
			return m.moved, m.err
		}
	}
}

// fill reads from src into the pipe. It returns false to be called again when src is readable.
func (m *mover) fill(fd uintptr) bool {
	if m.pipe == nil {
		if m.pipe = takePipe(); m.pipe == nil {
			m.err = errNoPipe
			return true
		}
	}
	for {
		n, err := unix.Splice(int(fd), nil, m.pipe.write, nil, m.pipe.size, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			m.release()
			return false
		case err != nil:
			m.err = os.NewSyscallError("splice", err)
			return true
		default:
			m.held, m.ended = n, n == 0
			return true
		}
	}
}

// drain writes what is in the pipe to dst. It returns false to be called again when dst is writable.
func (m *mover) drain(fd uintptr) bool {
	for m.held > 0 {
		n, err := unix.Splice(m.pipe.read, nil, int(fd), nil, int(m.held), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return false
		case err != nil:
			m.err = os.NewSyscallError("splice", err)
			return true
		case n == 0:
			m.err = io.ErrUnexpectedEOF
			return true
		default:
			m.held -= n
			m.moved += n
		}
	}
	return true
}

// release returns the pipe to the pool, unless there are bytes left in it.
func (m *mover) release() {
	if m.pipe == nil {
		return
	}
	if m.held > 0 {
		m.pipe.close()
	} else {
		pipes.Put(m.pipe)
	}
	m.pipe = nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// copy copies through a buffer, without a pipe.
func (m *mover) copy(dst, src *net.TCPConn) (int64, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	n, err := io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, *buf)
	return m.moved + n, err
}
