package leak

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// child is the environment variable that makes of this program the tests of some package, which Main runs.
const child = "LEAK_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		Main(m)
	}
	os.Exit(m.Run())
}

// linger runs until stop is closed. Its name is in what is told of it.
func linger(stop <-chan struct{}) { <-stop }

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		why   string
		code  int
		stops func(stop chan struct{}) // what becomes of the goroutine before it is looked for
		limit time.Duration
		want  int
		tells string
	}{
		{"nothing runs any more", 0, func(stop chan struct{}) { close(stop) }, time.Minute, 0, ""},
		{"something ends while it is waited for", 0, func(stop chan struct{}) { time.AfterFunc(time.Second, func() { close(stop) }) }, time.Minute, 0, ""},
		{"something goes on", 0, func(chan struct{}) {}, 0, 1, "leak.linger"},
		{"tests that failed say why themselves", 2, func(chan struct{}) {}, 0, 2, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			stop, ended := make(chan struct{}), make(chan struct{})
			go func() { defer close(ended); linger(stop) }()
			c.stops(stop)
			var out bytes.Buffer
			code := check(c.code, c.limit, &out)
			select {
			case <-stop:
			default:
				close(stop)
			}
			<-ended
			if code != c.want {
				t.Errorf("ends with %d, want %d", code, c.want)
			}
			if got := out.String(); (got == "") != (c.tells == "") || !strings.Contains(got, c.tells) {
				t.Errorf("tells %q, want %q", got, c.tells)
			}
		})
	}
}

// TestMainEndsWithTheTestsCode runs this program again, as the tests of some package.
func TestMainEndsWithTheTestsCode(t *testing.T) {
	for _, c := range []struct {
		why, does string
		failed    bool
	}{
		{"tests that pass and leave nothing", "pass", false},
		{"tests that fail", "fail", true},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestChild$")
		cmd.Env = append(os.Environ(), child+"="+c.does)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if failed := err != nil; failed != c.failed {
			t.Errorf("%s: %v\n%s", c.why, err, out)
		}
	}
}

// TestChild is what TestMainEndsWithTheTestsCode runs.
func TestChild(t *testing.T) {
	if os.Getenv(child) == "fail" {
		t.Error("as it was asked to")
	}
}
