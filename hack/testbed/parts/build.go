package parts

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	heartbeat = 15 * time.Second
	// grace is how long a cancelled compiler may take to stop.
	grace = 10 * time.Second
	// told is how much of a failed build's output goes into the error.
	told = 4 << 10
)

// Build is one static Go build.
type Build struct {
	Name    string // for the progress
	Dir     string // where to build: a module
	Package string
	Output  string
	LDFlags string
	Tags    string // build tags, separated by commas
	Quiet   bool   // no progress line unless it takes long
}

// Run builds a static binary that does not depend on the place of the clone, and says on progress what it is doing.
func (b Build) Run(ctx context.Context, progress io.Writer) error {
	output := &tail{}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", b.LDFlags, "-tags", b.Tags, "-o", b.Output, b.Package)
	cmd.Dir = b.Dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = grace
	start := time.Now()
	if !b.Quiet {
		fmt.Fprintf(progress, "building %s\n", b.Name)
	}
	stop := beat(progress, heartbeat, func() string {
		return fmt.Sprintf("building %s: %s so far%s", b.Name, elapsed(start), output.last())
	})
	err := cmd.Run()
	stop()
	if err != nil {
		return fmt.Errorf("cannot build %s (in %s): %w\n%s", b.Name, b.Dir, err, output)
	}
	if !b.Quiet {
		fmt.Fprintf(progress, "built %s in %s\n", b.Name, elapsed(start))
	}
	return nil
}

func elapsed(start time.Time) time.Duration { return time.Since(start).Round(time.Second) }

// beat writes a line every period until stop is called; after stop nothing is written any more.
func beat(progress io.Writer, period time.Duration, line func() string) (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				fmt.Fprintln(progress, line())
			}
		}
	}()
	return func() { close(done); <-stopped }
}

// tail keeps the end of a program's output.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if excess := len(t.buf) - told; excess > 0 {
		t.buf = bytes.Clone(t.buf[excess:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}

// last is the newest line in brackets, for the progress: go tells there what it downloads.
func (t *tail) last() string {
	lines := strings.Split(t.String(), "\n")
	if line := lines[len(lines)-1]; line != "" {
		return " (" + line + ")"
	}
	return ""
}

// toolchain is the version of the Go compiler that builds in dir: the go.mod there has a say in it.
func toolchain(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOOS", "GOARCH", "GOAMD64")
	cmd.Dir = filepath.Clean(dir)
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go is needed to build the parts, is it in PATH? %w", err)
	}
	return strings.Join(strings.Fields(string(output)), " "), nil
}
