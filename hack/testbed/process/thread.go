package process

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// OnThread runs a function on a thread of its own that ends with it, for what a thread cannot undo, such as entering a
// network namespace or a cgroup. It is never the process's first thread, which cannot end: it would stay there for good,
// and with it what the kernel takes for the place of the whole process.
func OnThread(do func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			result <- OnThread(do) // on another one, since this one is taken
			runtime.UnlockOSThread()
			return
		}
		result <- do() // never unlocked: the thread ends with this goroutine
	}()
	return <-result
}
