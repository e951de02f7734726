package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// Variable names the environment variable that moves the cache.
const Variable = "TESTBED_CACHE"

const (
	lockPrefix    = ".lock-"
	stagingPrefix = ".staging-"
	lockPoll      = 200 * time.Millisecond
)

// Dir is the directory of the named part of the project's cache, made if need be.
func Dir(name string) (string, error) {
	base := os.Getenv(Variable)
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("there is no place for the cache, set %s to a directory: %w", Variable, err)
		}
		p, err := project.Load()
		if err != nil {
			return "", err
		}
		base = filepath.Join(user, p.Name)
	}
	dir, err := filepath.Abs(filepath.Join(base, name))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cannot make the cache, set %s to a directory that can be written: %w", Variable, err)
	}
	return dir, nil
}

// Lock waits until this process is the only builder of a thing in dir; others may build other things meanwhile. What a builder
// of this thing that died left half done is swept away.
func Lock(ctx context.Context, dir, thing string, progress io.Writer) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(dir, lockPrefix+thing), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("cannot lock %s in %s: %w", thing, dir, err), file.Close())
		}
		if !told {
			fmt.Fprintf(progress, "waiting for another builder of %s in %s\n", thing, dir)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-time.After(lockPoll):
		}
	}
	sweep(dir, thing)
	return func() { _ = file.Close() }, nil
}

// staging is the pattern of the directories in which a thing is built. No thing has an @ in its name.
func staging(thing string) string { return stagingPrefix + thing + "@*" }

// sweep needs the lock. What it cannot remove costs space only.
func sweep(dir, thing string) {
	left, _ := filepath.Glob(filepath.Join(dir, staging(thing)))
	for _, path := range left {
		_ = os.RemoveAll(path)
	}
}

// Publish has fill write into an empty directory and then makes that directory dir/name in one step. If there is a
// dir/name already, it stays. The caller holds the thing's lock.
func Publish(dir, thing, name string, fill func(staging string) error) error {
	empty, err := os.MkdirTemp(dir, staging(thing))
	if err != nil {
		return err
	}
	defer os.RemoveAll(empty)
	if err := os.Chmod(empty, 0o755); err != nil {
		return err
	}
	if err := fill(empty); err != nil {
		return err
	}
	target := filepath.Join(dir, name)
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	return os.Rename(empty, target)
}
