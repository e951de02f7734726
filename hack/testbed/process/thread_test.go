package process

import (
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// As many goroutines as there are threads to run them get every thread there is, the first one too.
func TestOnThread(t *testing.T) {
	var wait sync.WaitGroup
	for range 100 * runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			err := OnThread(func() error {
				if unix.Gettid() == os.Getpid() {
					t.Error("it runs on the process's first thread")
				}
				return os.ErrExist
			})
			if err != os.ErrExist { //nolint:errorlint // the very error
				t.Errorf("the function's error is lost: %v", err)
			}
		})
	}
	wait.Wait()
}
