package verify

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOnce changes one thing after another and sees whether the command runs again.
func TestOnce(t *testing.T) {
	script, err := filepath.Abs("once.sh")
	if err != nil {
		t.Fatal(err)
	}
	clone := t.TempDir()
	t.Setenv("TESTBED_CACHE", t.TempDir())
	write := func(file, content string) {
		t.Helper()
		path := filepath.Join(clone, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("testbed/a.go", "one")
	write("product/b.go", "one")
	if out, err := exec.Command("git", "init", "-q", clone).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	rows := []struct {
		why     string
		change  func()
		command string
		runs    bool
		ok      bool
	}{
		{"it has never run", func() {}, "true", true, true},
		{"nothing has changed", func() {}, "true", false, true},
		{"something else has changed", func() { write("product/b.go", "two") }, "true", false, true},
		{"an input has changed", func() { write("testbed/a.go", "two") }, "true", true, true},
		{"there is one more input", func() { write("testbed/sub/c.go", "one") }, "true", true, true},
		{"the inputs are what they were once", func() { write("testbed/a.go", "two") }, "true", false, true},
		{"it fails", func() { write("testbed/a.go", "three") }, "false", true, false},
		{"what has failed runs again", func() {}, "false", true, false},
		{"another command", func() {}, "true", true, true},
	}
	for _, row := range rows {
		row.change()
		cmd := exec.Command(script, "sample", "testbed", "--", "sh", "-c", "echo runs; "+row.command)
		cmd.Dir = clone
		out, err := cmd.CombinedOutput()
		if runs := strings.HasPrefix(string(out), "runs"); runs != row.runs || (err == nil) != row.ok {
			t.Errorf("%s: %v %s", row.why, err, out)
		}
	}
}
