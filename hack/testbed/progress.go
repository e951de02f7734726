package testbed

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress writes lines that say what has come about and how long after the start.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	begun time.Time
}

func newProgress(out io.Writer) *progress { return &progress{out: out, begun: time.Now()} }

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%6.1fs  %s\n", time.Since(p.begun).Seconds(), fmt.Sprintf(format, args...))
}

// of is progress about one cluster.
func (p *progress) of(cluster string) func(string) {
	return func(what string) { p.say("%-6s %s", cluster, what) }
}

// Write takes lines from whoever wants a writer.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(text)
}
