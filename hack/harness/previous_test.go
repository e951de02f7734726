package harness

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// git runs git in a folder, as somebody, whatever is configured here.
func git(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestUsePrevious: a clone that has the version before, or can fetch it, installs it first; one that is shallow and cannot, and a
// copy of the files, goes on without and says so; a clone that is whole and has it not is wrong.
func TestUsePrevious(t *testing.T) {
	origin := t.TempDir()
	git(t, origin, "init", "-q")
	git(t, origin, "config", "uploadpack.allowReachableSHA1InWant", "true")
	for _, version := range []string{"1", "2"} {
		if err := os.WriteFile(filepath.Join(origin, "VERSION"), []byte(version), 0o644); err != nil {
			t.Fatal(err)
		}
		git(t, origin, "add", "VERSION")
		git(t, origin, "commit", "-q", "-m", version)
	}
	first := git(t, origin, "rev-parse", "HEAD^")
	for _, row := range []struct {
		why     string
		clone   []string
		commit  string
		offline bool
		used    bool
		fails   bool
		says    string
	}{
		{"a whole clone has it", nil, first, true, true, false, ""},
		{"a shallow one fetches it", []string{"--depth", "1"}, first, false, true, false, ""},
		{"a shallow one that cannot goes on without it", []string{"--depth", "1"}, first, true, false, false, "NO UPGRADE"},
		{"in a whole clone, a commit that there is not is a mistake", nil, strings.Repeat("0", 40), false, false, true, ""},
		{"a copy of the files goes on without it", nil, strings.Repeat("0", 40), true, false, false, "NO UPGRADE"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			clone := filepath.Join(t.TempDir(), "clone")
			git(t, origin, append(append([]string{"clone", "-q"}, row.clone...), "file://"+origin, clone)...)
			if strings.HasPrefix(row.why, "a copy") {
				git(t, clone, "checkout", "-q", "--orphan", "copy")
				git(t, clone, "commit", "-q", "-m", "copy")
			}
			if row.offline {
				git(t, clone, "remote", "set-url", "origin", "file:///nowhere")
			}
			var out bytes.Buffer
			h := &Harness{Root: clone, Out: &out}
			err := h.usePrevious(t.Context(), row.commit)
			if (err != nil) != row.fails || h.Previous() != row.used || !strings.Contains(out.String(), row.says) {
				t.Fatalf("used %v, %v, %q", h.Previous(), err, out.String())
			}
			if !row.used {
				return
			}
			text, err := os.ReadFile(filepath.Join(h.previous, "VERSION"))
			if err != nil || string(text) != "1" {
				t.Errorf("the tree before has %q, %v", text, err)
			}
			if h.chart("federation") != filepath.Join(h.previous, "charts", "federation") {
				t.Errorf("the first chart is %s", h.chart("federation"))
			}
		})
	}
}
