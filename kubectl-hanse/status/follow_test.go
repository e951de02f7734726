package status

import (
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/watcher"
)

var (
	errForbidden = apierrors.NewForbidden(schema.GroupResource{Resource: "lines"}, "", errors.New("no right"))
	errRefused   = errors.New("connection refused")
)

func failure(err error, synced bool) []watcher.Failure {
	return []watcher.Failure{{Source: watcher.Source{Action: "read the lines"}, Err: err, Synced: synced}}
}

func TestFatal(t *testing.T) {
	for _, test := range []struct {
		why      string
		failures []watcher.Failure
		drawn    bool
		want     string
	}{
		{"nothing has failed", nil, false, ""},
		{"a right that is missing from the start", failure(errForbidden, false), false, "ask whoever runs this cluster for that right"},
		{"a cluster that does not answer from the start may be the wrong one", failure(errRefused, false), false, "read the lines: connection refused"},
		{"a connection that is lost later comes back", failure(errRefused, true), true, ""},
		{"a right that is taken away may be given back", failure(errForbidden, true), true, ""},
		{"a new member's part, that nobody may see, would never be drawn", failure(errForbidden, false), true, "ask whoever runs this cluster for that right"},
		{"a new member's part comes with the connection", failure(errRefused, false), true, ""},
	} {
		err := fatalFailure(test.failures, test.drawn)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: want %q, got %v", test.why, test.want, err)
		}
	}
}

func TestEnded(t *testing.T) {
	for _, test := range []struct {
		why                       string
		watch, interrupted, drawn bool
		trouble, want             string
		code                      int
	}{
		{"whoever watches ends it at will", true, true, true, "", "", exitcode.OK},
		{"whoever waits has not got what they waited for", false, true, true, "", "interrupted before consortium trade was ready", exitcode.Interrupted},
		{"the time is over", false, false, true, "", "is not ready after 1s; the tree above", exitcode.NotReady},
		{"the time is over, and the tree is not the last word", false, false, true, "? lost", "is not ready after 1s; ? lost", exitcode.NotReady},
		{"there is no tree", false, false, false, "", "does not answer in time", exitcode.NotReady},
	} {
		err := options{watch: test.watch, timeout: time.Second}.endedError(test.interrupted, "consortium trade", test.drawn, test.trouble)
		if code := exitcode.Of(err); code != test.code {
			t.Errorf("%s: code %d, want %d", test.why, code, test.code)
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: want %q, got %v", test.why, test.want, err)
		}
	}
}

func TestTrouble(t *testing.T) {
	two := append(failure(errRefused, true), failure(errForbidden, true)...)
	if got := failureText(two); !strings.HasSuffix(got, "read the lines: connection refused (and 1 more)") {
		t.Error(got)
	}
	if got := failureText(nil); got != "" {
		t.Error(got)
	}
}

func TestRows(t *testing.T) {
	for _, test := range []struct {
		why, text   string
		width, want int
	}{
		{"a row a line", "a\nb\n", 80, 2},
		{"a line as wide as the terminal", "abcd\n", 4, 1},
		{"a wider one goes on in the next row", "abcde\nx\n", 4, 3},
		{"signs count, not bytes", "├─ ✓\n", 4, 1},
		{"a terminal that does not say", "abcde\n", 0, 1},
	} {
		if got := rows(test.text, test.width); got != test.want {
			t.Errorf("%s: got %d", test.why, got)
		}
	}
}
