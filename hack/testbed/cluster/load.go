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

// Load imports an image archive into the cluster's containerd, which from then on knows its images by digest too.
func (c *Cluster) Load(ctx context.Context, archive string) error {
	if _, err := c.images(ctx, "import", archive); err != nil {
		return fmt.Errorf("load %s into cluster %s: %w", archive, c.Name, err)
	}
	table, err := c.images(ctx, "ls")
	if err != nil {
		return fmt.Errorf("list the images of cluster %s: %w", c.Name, err)
	}
	for _, name := range namesByDigest(table) {
		if _, err := c.images(ctx, "tag", "--force", name.tagged, name.digested); err != nil {
			return fmt.Errorf("name %s by its digest in cluster %s: %w", name.tagged, c.Name, err)
		}
	}
	return nil
}

// images runs ctr on the cluster's images, and returns what it prints.
func (c *Cluster) images(ctx context.Context, arguments ...string) (string, error) {
	// The kernel ends the child with the thread that made it, not with the program (golang/go#27505), and threads that
	// have been in a cluster's network end with their work: this one is kept until the child has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "ctr", append([]string{"--address", c.Socket(), "--namespace", "k8s.io", "images"}, arguments...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive a testbed command that crashes
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

type imageNames struct{ tagged, digested string }

// namesByDigest finds, in the table that `ctr images ls` prints, the images that are named by a tag only. An archive brings no other
// name; what a registry serves has both.
func namesByDigest(table string) []imageNames {
	var rows [][]string
	known := map[string]bool{}
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 2 && strings.HasPrefix(fields[2], "sha256:") {
			rows = append(rows, fields)
			known[fields[0]] = true
		}
	}
	var names []imageNames
	for _, fields := range rows {
		reference, digest := fields[0], fields[2]
		colon := strings.LastIndex(reference, ":")
		if strings.Contains(reference, "@") || colon <= strings.LastIndex(reference, "/") {
			continue
		}
		if digested := reference[:colon] + "@" + digest; !known[digested] && strings.Contains(reference, "/") {
			names = append(names, imageNames{reference, digested})
			known[digested] = true
		}
	}
	return names
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
