//go:build testbed

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// traces lists everything on the machine that speaks of the testbed: processes, mounts, interfaces, namespaces, cgroups,
// files. Other testbeds may live beside it and change meanwhile, so the comparison is by name; sockets of containerd
// shims have no names and count when nobody listens any more and somebody did before.
func (r rig) traces(t *testing.T) []string {
	t.Helper()
	testbed, dir := testbedName, r.dir
	var found []string
	add := func(kind, what string) { found = append(found, kind+" "+what) }
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range commands {
		content, _ := os.ReadFile(file)
		command := strings.ReplaceAll(string(content), "\x00", " ")
		if strings.Contains(command, "/testbed/"+testbed+"/") {
			add("process", command)
		}
	}
	for kind, show := range map[string][]string{
		"mount": {"cat", "/proc/self/mountinfo"}, "interface": {"ip", "-details", "link", "show"}, "namespace": {"ip", "netns", "list"},
	} {
		out, err := exec.Command(show[0], show[1:]...).Output()
		check(t, err)
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "testbed/"+testbed+"/") || strings.Contains(line, testbed+".") {
				add(kind, line)
			}
		}
	}
	for _, pattern := range []string{
		"/sys/fs/cgroup/testbed/" + testbed, "/sys/fs/cgroup/*/testbed/" + testbed,
		"/var/lib/testbed/" + testbed, "/run/netns/" + testbed + ".*", dir + "/*",
	} {
		files, err := filepath.Glob(pattern)
		check(t, err)
		for _, f := range files {
			add("file", f)
		}
	}
	for _, socket := range deadSockets() {
		if !slices.Contains(r.dead, socket) {
			add("dead socket", socket)
		}
	}
	found = append(found, strays(t, testbed)...)
	slices.Sort(found)
	return found
}

// deadSockets are those of containerd shims that nobody listens at.
func deadSockets() []string {
	var found []string
	sockets, _ := filepath.Glob("/run/containerd/s/*")
	for _, s := range sockets {
		if connection, err := net.Dial("unix", s); err == nil {
			connection.Close()
		} else {
			found = append(found, s)
		}
	}
	return found
}

// strays looks into the directories that all containerds and kubelets of the machine share.
func strays(t *testing.T, testbed string) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"/var/lib/cni/results/*", "/var/log/containers/*"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			content, _ := os.ReadFile(f)
			target, _ := os.Readlink(f)
			if strings.Contains(string(content)+target, "/testbed/"+testbed+"/") {
				found = append(found, fmt.Sprint("file ", f))
			}
		}
	}
	return found
}
