// Package leak fails a package's tests if goroutines that they started are still running at the end. It must know nothing of
// what is tested.
package leak

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// exitTimeout is how long goroutines that are stopping may take. goleak's own timeout is less than a second.
const exitTimeout = time.Minute

// Main is a TestMain: it runs the tests, and fails if a goroutine still runs exitTimeout after them.
func Main(m *testing.M) { os.Exit(check(m.Run(), exitTimeout, os.Stderr)) }

// check is the exit code of tests that have ended with code. Of tests that have failed, goroutines are not looked for: a
// test that gives up may leave some.
func check(code int, limit time.Duration, out io.Writer) int {
	for deadline := time.Now().Add(limit); code == 0; {
		err := goleak.Find() // waits between its own retries
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			fmt.Fprintln(out, err)
			code = 1
		}
	}
	return code
}
