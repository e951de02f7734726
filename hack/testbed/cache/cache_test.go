package cache

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

func TestDir(t *testing.T) {
	moved, xdg := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", xdg)
	clone := t.TempDir()
	if err := os.WriteFile(filepath.Join(clone, project.File), []byte("name: trade"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(clone)
	rows := []struct{ why, variable, want string }{
		{"the user's cache is the default", "", filepath.Join(xdg, "trade", "parts")},
		{"the variable moves it", moved, filepath.Join(moved, "parts")},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			t.Setenv(Variable, row.variable)
			got, err := Dir("parts")
			if err != nil || got != row.want {
				t.Fatalf("%s %v, want %s", got, err, row.want)
			}
			if _, err := os.Stat(got); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	failure := errors.New("no")
	rows := []struct {
		why  string
		old  string
		err  error
		want string // content of dir/entry/file; empty if there is no entry
	}{
		{"a finished thing appears", "", nil, "new"},
		{"a failed build leaves nothing", "", failure, ""},
		{"what is there stays: somebody may be running it", "old", nil, "old"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "entry", "file")
			if row.old != "" {
				if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(row.old), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			err := Publish(dir, "peer", "entry", func(staging string) error {
				return errors.Join(os.WriteFile(filepath.Join(staging, "file"), []byte("new"), 0o644), row.err)
			})
			if !errors.Is(err, row.err) {
				t.Fatalf("error %v, want %v", err, row.err)
			}
			got, _ := os.ReadFile(file)
			if string(got) != row.want {
				t.Errorf("content %q, want %q", got, row.want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, stagingPrefix+"*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	stale, others := filepath.Join(dir, stagingPrefix+"peer@1"), filepath.Join(dir, stagingPrefix+"peer-tool@1")
	if err := errors.Join(os.Mkdir(stale, 0o755), os.Mkdir(others, 0o755)); err != nil {
		t.Fatal(err)
	}
	unlock, err := Lock(t.Context(), dir, "peer", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Error("the leftover of a dead builder is still there")
	}
	if _, err := os.Stat(others); err != nil {
		t.Errorf("what somebody else is building was swept away: %v", err)
	}
	other, err := Lock(t.Context(), dir, "peer-tool", io.Discard)
	if err != nil {
		t.Errorf("another thing cannot be built at the same time: %v", err)
	} else {
		other()
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Lock(impatient, dir, "peer", io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a second builder got in: %v", err)
	}
	unlock()
	again, err := Lock(t.Context(), dir, "peer", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
