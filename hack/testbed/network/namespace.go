package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// directory is where `ip netns` keeps the namespaces.
const directory = "/run/netns"

// NamespacePath is the file that stands for a network namespace.
func NamespacePath(name string) string { return filepath.Join(directory, name) }

// Namespaces lists the network namespaces of the testbed that exist, whatever its state file says.
func Namespaces(owns func(namespace string) bool) ([]string, error) {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list network namespaces: %w", err)
	}
	var names []string
	for _, e := range entries {
		if owns(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// DeleteNamespace removes a network namespace with every interface in it.
func DeleteNamespace(ctx context.Context, name string) error {
	return run(ctx, "", "ip", "netns", "del", name)
}

// RemoveDirectory removes the directory of namespaces, which `ip netns` mounts on itself, if nothing is left in it. It
// refuses by itself when somebody makes a namespace in the same moment: the mount is busy then.
func RemoveDirectory() {
	if entries, err := os.ReadDir(directory); err == nil && len(entries) == 0 && unix.Unmount(directory, 0) == nil {
		_ = os.Remove(directory)
	}
}

func exists(name string) bool {
	_, err := os.Stat(NamespacePath(name))
	return err == nil
}

// run runs a program and puts what it said into the error.
func run(ctx context.Context, stdin, program string, args ...string) error {
	_, err := output(ctx, stdin, program, args...)
	return err
}

func output(ctx context.Context, stdin, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// batch runs lines of `ip` commands inside a namespace in one go.
func batch(ctx context.Context, namespace string, lines ...string) error {
	script := strings.Join(lines, "\n") + "\n"
	if err := run(ctx, script, "ip", "-netns", namespace, "-batch", "-"); err != nil {
		return fmt.Errorf("configure namespace %s: %w", namespace, err)
	}
	return nil
}

// inside runs a program in a namespace. Not with `ip netns exec`, which mounts /sys anew and hides the cgroups.
func inside(ctx context.Context, namespace, stdin, program string, args ...string) error {
	return run(ctx, stdin, "nsenter", append([]string{"--net=" + NamespacePath(namespace), program}, args...)...)
}
