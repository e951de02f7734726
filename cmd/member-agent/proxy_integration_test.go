//go:build integration

package main

import (
	"io"
	"net"
	"sync"
	"testing"
)

// testProxy is the way to the host, which can be cut.
type testProxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func newTestProxy(t *testing.T, target string) *testProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &testProxy{listener: l, target: target}
	t.Cleanup(func() { _ = l.Close(); r.block() })
	go r.serve()
	return r
}

func (r *testProxy) serve() {
	for {
		in, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.proxy(in)
	}
}

func (r *testProxy) proxy(in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	r.mu.Lock()
	if r.cut {
		r.mu.Unlock()
		return
	}
	r.conns = append(r.conns, in, out)
	r.mu.Unlock()
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
	_, _ = io.Copy(in, out)
}

// block cuts the road: what is on it ends, and nothing comes through any more.
func (r *testProxy) block() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// open lets everybody through again.
func (r *testProxy) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = false
}
