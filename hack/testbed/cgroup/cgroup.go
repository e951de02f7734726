package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	mount = "/sys/fs/cgroup"
	top   = "testbed"
	// system holds a cluster's own programs: cgroup v2 wants processes in leaves only.
	system = "system"
)

// Group is a testbed's or a cluster's cgroup, in every hierarchy of the machine.
type Group struct{ path string }

// OfTestbed is the cgroup that holds all clusters of a testbed.
func OfTestbed(testbed string) Group { return Group{filepath.Join(top, testbed)} }

// OfCluster is the cgroup of one cluster.
func OfCluster(testbed, cluster string) Group { return Group{filepath.Join(top, testbed, cluster)} }

// Root is the path that a kubelet takes as its cgroupRoot.
func (g Group) Root() string { return "/" + g.path }

// Unified says whether this machine has cgroup v2 alone.
func Unified() bool {
	_, err := os.Stat(filepath.Join(mount, "cgroup.controllers"))
	return err == nil
}

// hierarchies lists the directories under which cgroups are made: one on v2, one for each v1 controller.
func hierarchies() ([]string, error) {
	if Unified() {
		return []string{mount}, nil
	}
	entries, err := os.ReadDir(mount)
	if err != nil {
		return nil, fmt.Errorf("list cgroup hierarchies: %w", err)
	}
	var dirs []string
	for _, e := range entries {
		dir := filepath.Join(mount, e.Name())
		// Symbolic links (cpu -> cpu,cpuacct) stand for a directory that is listed as well.
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil && e.IsDir() {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return nil, errors.New("no cgroup hierarchy is mounted under " + mount)
	}
	return dirs, nil
}

// Create makes the cgroup in every hierarchy.
func (g Group) Create() error {
	dirs, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range dirs {
		if err := os.MkdirAll(filepath.Join(h, g.path, system), 0o755); err != nil {
			return fmt.Errorf("make cgroup: %w", err)
		}
		if Unified() {
			if err := delegate(h, g.path); err != nil {
				return err
			}
		} else if err := inheritCPUs(h, g.path); err != nil {
			return err
		}
	}
	return nil
}

// delegate lets the pods' cgroups use every controller there is: v2 passes them on one level at a time.
func delegate(root, path string) error {
	available, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("read cgroup controllers: %w", err)
	}
	enable := []byte("+" + strings.Join(strings.Fields(string(available)), " +"))
	dir := root
	for _, name := range append([]string{""}, strings.Split(path, "/")...) {
		dir = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), enable, 0o644); err != nil {
			return fmt.Errorf("pass cgroup controllers on: %w", err)
		}
	}
	return nil
}

// inheritCPUs fills the v1 cpuset of a new cgroup, which is born empty and would take no process.
func inheritCPUs(hierarchy, path string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(hierarchy, file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read cpuset: %w", err)
		}
		dir := hierarchy
		for _, name := range append(strings.Split(path, "/"), system) {
			dir = filepath.Join(dir, name)
			if err := os.WriteFile(filepath.Join(dir, file), value, 0o644); err != nil {
				return fmt.Errorf("fill cpuset: %w", err)
			}
		}
	}
	return nil
}

// EnterThread moves the calling thread into the cgroup, so that what it starts is born there. On v2 threads cannot
// move alone: there, start the child with Directory's file descriptor.
func (g Group) EnterThread(tid int) error {
	dirs, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range dirs {
		file := filepath.Join(h, g.path, system, "tasks")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			continue // the v2 tree that stands beside v1 in a hybrid setup
		}
		if err := os.WriteFile(file, []byte(strconv.Itoa(tid)), 0o644); err != nil {
			return fmt.Errorf("enter cgroup: %w", err)
		}
	}
	return nil
}

// Directory is the v2 directory that a child can be born in.
func (g Group) Directory() string { return filepath.Join(mount, g.path, system) }

// PIDs lists every process of the cgroup and of those below it, without this process itself.
func (g Group) PIDs() ([]int, error) {
	var pids []int
	err := g.walk(func(dir string) error {
		content, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			return nil // gone while we looked
		}
		for _, field := range strings.Fields(string(content)) {
			if pid, err := strconv.Atoi(field); err == nil && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	slices.Sort(pids)
	return slices.Compact(pids), err
}

// Remove removes the cgroup and those below it; it waits a moment for dying processes to leave.
func (g Group) Remove(deadline time.Time) error {
	for {
		var left []string
		if err := g.walk(func(dir string) error { left = append(left, dir); return nil }); err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		slices.Reverse(left) // children were listed after their parents
		var last error
		for _, dir := range left {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				last = err
			}
		}
		if last != nil && time.Now().After(deadline) {
			return fmt.Errorf("remove cgroup: %w", last)
		}
		if last != nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// RemoveTop removes the cgroup above all testbeds when the last one is gone.
func RemoveTop() {
	dirs, err := hierarchies()
	if err != nil {
		return
	}
	for _, h := range dirs {
		_ = os.Remove(filepath.Join(h, top)) // refuses while another testbed lives in it
	}
}

// walk visits the cgroup's directories, parents first, in every hierarchy.
func (g Group) walk(visit func(dir string) error) error {
	dirs, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range dirs {
		err := filepath.WalkDir(filepath.Join(h, g.path), func(dir string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			if entry.IsDir() {
				return visit(dir)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("walk cgroup: %w", err)
		}
	}
	return nil
}
