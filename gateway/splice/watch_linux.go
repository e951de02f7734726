package splice

import (
	"errors"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

var small = sync.Pool{New: func() any { b := make([]byte, 8<<10); return &b }}

// watch copies bytes from src to dst until the records show that application data has passed, or that it is not TLS, or src
// has ended. A buffer is held only while there are bytes in it.
func watch(dst, src *net.TCPConn, r *records) (n int64, ended bool, err error) {
	in, err := src.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	w := watcher{dst: dst, r: r}
	read := w.read // made once
	for !r.spoken && !r.broken {
		if err := in.Read(read); err != nil {
			return n, false, err
		}
		got, err := w.pass()
		if n += int64(got); err != nil || got == 0 {
			return n, err == nil, err
		}
	}
	return n, false, nil
}

type watcher struct {
	dst *net.TCPConn
	r   *records
	buf *[]byte
	got int
	err error
}

// read reads from src into a buffer. It returns false to be called again when src is readable.
func (w *watcher) read(fd uintptr) bool {
	w.buf = small.Get().(*[]byte)
	for {
		w.got, w.err = unix.Read(int(fd), *w.buf)
		switch {
		case errors.Is(w.err, unix.EINTR):
			continue
		case errors.Is(w.err, unix.EAGAIN):
			small.Put(w.buf)
			return false
		}
		return true
	}
}

// pass writes what was read to dst and returns its size, zero at the end.
func (w *watcher) pass() (int, error) {
	defer small.Put(w.buf)
	if w.err != nil {
		return 0, os.NewSyscallError("read", w.err)
	}
	if w.got == 0 {
		return 0, nil
	}
	b := (*w.buf)[:w.got]
	w.r.pass(b)
	return w.dst.Write(b)
}
