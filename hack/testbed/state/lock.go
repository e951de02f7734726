package state

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Lock waits until no other command changes the testbed, and keeps others waiting until release is called.
func Lock(testbed string) (release func(), err error) { return lock(Dir(testbed)) }

// LockMachine does the same for what all testbeds of the machine share: who has which management address.
func LockMachine() (release func(), err error) { return lock(Root) }

// lock locks a directory itself: a lock file would be one more thing to leave behind.
func lock(dir string) (func(), error) {
	for {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		handle, err := os.Open(dir)
		if os.IsNotExist(err) {
			continue // removed between the two calls
		}
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		if err := unix.Flock(int(handle.Fd()), unix.LOCK_EX); err != nil {
			handle.Close()
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		// While we waited, the directory may have been removed and made anew by others.
		held, err := handle.Stat()
		if now, nowErr := os.Stat(dir); err == nil && nowErr == nil && os.SameFile(held, now) {
			return func() { handle.Close() }, nil
		}
		handle.Close()
	}
}
