//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/documents"
	"github.com/hanse-io/hanse/hack/harness"
)

// notOnTestbed are commands in the documents' text that fail on a testbed, and why.
var notOnTestbed = map[string]string{
	"kubectl get consortiumdefinition trade -n hanse-shared-trade": "only a large consortium has one",
}

// documentsCommands runs what the documents tell readers to type: each page's blocks that are marked so, in one shell a page, and
// all that only reads in the text.
func documentsCommands(t *testing.T, s *harness.Harness) {
	pages, err := documents.Pages(s.Root)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	var reads []string
	for _, page := range pages {
		if page.IsChinese() {
			continue // with the same commands
		}
		for _, command := range page.Spans() {
			if command.IsReadOnly() && notOnTestbed[command.Text] == "" {
				reads = append(reads, command.Text)
			}
		}
		blocks, err := page.Blocks()
		if err != nil {
			t.Fatal(err)
		}
		script, commands := documents.Script(blocks, s.Kubeconfig("host"), s.Kubeconfig("org1"))
		if commands == 0 {
			continue
		}
		ran += commands
		t.Run(page.Path, func(t *testing.T) {
			if out, err := shell(t, s, "host", script); err != nil {
				t.Errorf("the page does not work as it is written: %v\n%s", err, out)
			}
		})
	}
	t.Run("in the text", func(t *testing.T) { readAnywhere(t, s, reads) })
	if ran < 50 || len(reads) < 30 {
		t.Errorf("%d commands in blocks and %d in the text were found: has their mark changed?", ran, len(reads))
	}
}

// readAnywhere runs commands that only read. The text around them says on which cluster; here one of the two has to do.
func readAnywhere(t *testing.T, s *harness.Harness, commands []string) {
	slices.Sort(commands)
	for _, command := range slices.Compact(commands) {
		host, err := shell(t, s, "host", command)
		if err == nil {
			continue
		}
		if there, err := shell(t, s, "org1", command); err != nil {
			t.Errorf("`%s` works neither on the host nor there:\n%s%s", command, host, there)
		}
	}
}

// shell runs a script in a folder that looks like the clone's root after `make build` and `make demo`.
func shell(t *testing.T, s *harness.Harness, cluster, script string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	for link, target := range map[string]string{
		"charts": filepath.Join(s.Root, "charts"), "samples": filepath.Join(s.Root, "samples"), "bin": s.Bin(""),
		".testbed": filepath.Dir(s.Kubeconfig("host")),
	} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "bash", "-c", script)
	command.Dir = folder
	command.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig(cluster), "PATH="+filepath.Join(folder, "bin")+":"+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
