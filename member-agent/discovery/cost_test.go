package discovery

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// traffic counts the connections that agents dial, and the bytes on them in both directions.
type traffic struct {
	dialled, open, bytes atomic.Int64
}

// countedConn is a connection that traffic counts.
type countedConn struct {
	net.Conn
	traffic *traffic
	once    sync.Once
}

func (t *traffic) count(dial func(context.Context, string) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, serverName string) (net.Conn, error) {
		conn, err := dial(ctx, serverName)
		if err != nil {
			return nil, err
		}
		t.dialled.Add(1)
		t.open.Add(1)
		return &countedConn{Conn: conn, traffic: t}, nil
	}
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.traffic.bytes.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.traffic.bytes.Add(int64(n))
	return n, err
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.traffic.open.Add(-1) })
	return c.Conn.Close()
}

// BenchmarkGroups shows what gossip groups cost each of the agents that have them in common, once all are in contact. Run it
// with -benchtime 1x: one turn is a quarter of a minute of doing nothing but gossip.
func BenchmarkGroups(b *testing.B) {
	for _, agents := range []int{2, 3} {
		for _, groups := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("agents=%d/groups=%d", agents, groups), func(b *testing.B) {
				for range b.N {
					measureGroups(b, agents, groups)
				}
			})
		}
	}
}

// settle is how long the first exchanges after the start may still go on.
const settle = 5 * time.Second

func measureGroups(b *testing.B, agents, groups int) {
	before, goroutines := memory()
	f := newTestbed(b, agents)
	var all []Group
	for i := range groups {
		all = append(all, f.group(fmt.Sprintf("consortium-%d", i)))
	}
	for _, o := range f.orgs {
		f.start(o, all...)
	}
	f.eventually("all are in contact in every group", func() bool {
		for _, a := range f.agents {
			for _, g := range all {
				for _, m := range a.View(g.Consortium).Members {
					if !m.Online {
						return false
					}
				}
			}
		}
		return true
	})
	start := f.traffic.dialled.Load()
	sleep(context.Background(), settle)
	dialled, bytes, cpu, began := f.traffic.dialled.Load(), f.traffic.bytes.Load(), cpuTime(b), time.Now()
	sleep(context.Background(), 15*time.Second)
	seconds := time.Since(began).Seconds()
	used := cpuTime(b) - cpu
	dialled, bytes = f.traffic.dialled.Load()-dialled, f.traffic.bytes.Load()-bytes
	after, running := memory()
	n := float64(agents)
	b.ReportMetric(float64(start), "dials-to-start")
	b.ReportMetric(float64(dialled)/seconds, "dials/s")
	b.ReportMetric(float64(f.traffic.open.Load()), "connections")
	b.ReportMetric(float64(bytes)/seconds/n/1024, "KB/s/agent")
	b.ReportMetric(used.Seconds()*1000/seconds/n, "CPU-ms/s/agent")
	b.ReportMetric((after-before)/n/1024, "KB/agent")
	b.ReportMetric(float64(running-goroutines)/n, "goroutines/agent")
	b.ReportMetric(0, "ns/op")
	for _, a := range f.agents {
		a.stop()
	}
}

// memory is what is held by heap and stacks, in bytes, and the number of goroutines.
func memory() (float64, int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
