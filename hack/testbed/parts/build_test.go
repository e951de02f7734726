package parts

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	rows := []struct {
		why, source, err string
		quiet            bool
		progress         string
	}{
		{"a build is told, with its time", "package main\n\nfunc main() {}\n", "", false, "built tool"},
		{"a quick rebuild can be silent", "package main\n\nfunc main() {}\n", "", true, ""},
		{"the compiler's own words are in the error", "package main\n\nfunc main() { x }\n", "undefined: x", false, ""},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			root := t.TempDir()
			put(t, root, "go.mod", "module sample\n\ngo 1.26.0\n")
			put(t, root, "main.go", row.source)
			var progress bytes.Buffer
			b := Build{Name: "tool", Dir: filepath.Join(root, "hack/parts/tool"), Package: ".", Output: filepath.Join(root, "tool"), Quiet: row.quiet}
			err := b.Run(t.Context(), &progress)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("error %v, want one with %q", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if row.progress == "" && progress.Len() > 0 || !strings.Contains(progress.String(), row.progress) {
				t.Errorf("progress %q", progress.String())
			}
			if err := exec.CommandContext(t.Context(), b.Output).Run(); err != nil {
				t.Errorf("what was built does not run: %v", err)
			}
		})
	}
}

func TestTail(t *testing.T) {
	rows := []struct{ why, written, last string }{
		{"nothing yet", "", ""},
		{"the newest line", "one\ntwo\n", " (two)"},
		{"a long output loses its beginning only", strings.Repeat("x", 2*told) + "\nend", " (end)"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			kept := &tail{}
			if _, err := kept.Write([]byte(row.written)); err != nil {
				t.Fatal(err)
			}
			if got := kept.last(); got != row.last || len(kept.String()) > told {
				t.Errorf("last line %q, %d bytes kept", got, len(kept.String()))
			}
		})
	}
}
