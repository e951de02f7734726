package network

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/hanse-io/hanse/hack/testbed/process"
)

// Inside runs a function in a network namespace. Sockets that the function opens belong to the namespace, as long as it
// opens them itself and not in a goroutine of its own.
func Inside(namespace string, do func() error) error {
	return process.OnThread(func() error {
		handle, err := os.Open(NamespacePath(namespace))
		if err != nil {
			return err
		}
		defer handle.Close()
		if err := unix.Setns(int(handle.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter %s: %w", namespace, err)
		}
		return do()
	})
}
