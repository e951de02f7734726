// Package leak lets a package's tests end only when everything that they started has ended. It must know nothing of what
// is tested.
package leak

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is for goroutines that have been told to end and have not come to it yet. goleak's own is less than a second.
const patience = time.Minute

// Main is a TestMain: it runs the tests, and fails if a goroutine goes on after them.
func Main(m *testing.M) {
	code := m.Run()
	for deadline := time.Now().Add(patience); code == 0; {
		err := goleak.Find() // which pauses by itself between its looks
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
