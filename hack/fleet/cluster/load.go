package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// Load imports an image archive into the cluster's containerd.
func (c *Cluster) Load(ctx context.Context, archive string) error {
	// The kernel ends the child with the thread that made it, not with the program (golang/go#27505), and threads that
	// have been in a cluster's network end with their work: this one is kept until the child has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "ctr", "--address", c.Socket(), "--namespace", "k8s.io", "images", "import", archive)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive a fleet command that crashes
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("load %s into cluster %s: %w: %s", archive, c.Name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// preload loads the archives that the cluster does not hold yet. A mark on disk says which it holds, so that
// starting again costs nothing.
func (c *Cluster) preload(ctx context.Context, archives []string) error {
	if err := c.waitContainerd(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(c.path("loaded"), 0o755); err != nil {
		return err
	}
	for _, archive := range archives {
		info, err := os.Stat(archive)
		if err != nil {
			return fmt.Errorf("image archive: %w", err)
		}
		mark := c.path("loaded", fmt.Sprintf("%s-%d-%d", filepath.Base(archive), info.Size(), info.ModTime().UnixNano()))
		if _, err := os.Stat(mark); err == nil {
			continue
		}
		if err := c.Load(ctx, archive); err != nil {
			return err
		}
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) waitContainerd(ctx context.Context) error {
	return c.await(ctx, "containerd", []string{"containerd"}, func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "unix", c.Socket())
		if err != nil {
			return err
		}
		return connection.Close()
	})
}
