package gateway

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
)

// startSink swallows what comes.
func startSink(b *testing.B) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				buf := make([]byte, 64<<10)
				for err := error(nil); err == nil; {
					_, err = conn.Read(buf)
				}
				_, _ = conn.Write([]byte{1})
			})
		}
	})
	b.Cleanup(func() { ln.Close(); tasks.Wait() })
	return ln.Addr().String()
}

// startLine runs two gateways with a line between them, and returns where the near one takes connections to nodeB, which is at
// the address.
func startLine(b *testing.B, address string) (inside string) {
	b.Helper()
	orgA, orgB := newOrganization(b, "a"), newOrganization(b, "b")
	near, far := startGateway(b, orgA, nil), startGateway(b, orgB, nil)
	roots := map[string]string{"a": orgA.root, "b": orgB.root}
	far.applyRoutes(b, routing.Routes{Member: "b", Roots: roots, Local: map[string]string{nodeB: address}})
	w := &testLine{address: far.line}
	near.applyRoutes(b, routing.Routes{Member: "a", Roots: roots, Remote: map[string]string{nodeB: "b"}, Lines: []routing.Line{w.line("l1", "b", 1)}})
	near.waitFor(b, "l1", v1alpha1.LineUp)
	return near.inside
}

// BenchmarkConnections opens connections one after the other, hears one byte and closes them; what is counted are all
// allocations of both gateways, and of the client and the sink.
func BenchmarkConnections(b *testing.B) {
	sink := startSink(b)
	inside, hello, answer := startLine(b, sink), clientHello(b, nodeB), make([]byte, 1)
	for _, way := range []struct{ name, address string }{{"direct", sink}, {"gateways", inside}} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				conn, err := net.Dial("tcp", way.address)
				must(b, err)
				_, err = conn.Write(hello)
				must(b, err)
				must(b, conn.(*net.TCPConn).CloseWrite())
				_, err = io.ReadFull(conn, answer)
				must(b, err)
				must(b, conn.Close())
			}
		})
	}
}

// BenchmarkStreams moves blocks of 1 MiB to a sink: directly, and by way of two gateways and a line. The line is
// loopback, without the wire of the tests in between.
func BenchmarkStreams(b *testing.B) {
	sink := startSink(b)
	inside := startLine(b, sink)
	hello := clientHello(b, nodeB)
	for _, streams := range []int{1, 100} {
		for name, address := range map[string]string{"direct": sink, "gateways": inside} {
			b.Run(fmt.Sprintf("%s/%d", name, streams), func(b *testing.B) {
				conns := make([]net.Conn, streams)
				for i := range conns {
					conn, err := net.Dial("tcp", address)
					must(b, err)
					defer conn.Close()
					_, err = conn.Write(hello)
					must(b, err)
					conns[i] = conn
				}
				block := make([]byte, 1<<20)
				b.SetBytes(int64(len(block)))
				b.ReportAllocs()
				b.ResetTimer()
				var tasks sync.WaitGroup
				for i, conn := range conns {
					tasks.Go(func() {
						for n := i; n < b.N; n += streams {
							if _, err := conn.Write(block); err != nil {
								b.Error(err)
								return
							}
						}
						_ = conn.(*net.TCPConn).CloseWrite()
						_, _ = io.ReadFull(conn, make([]byte, 1)) // once all has arrived
					})
				}
				tasks.Wait()
			})
		}
	}
}
