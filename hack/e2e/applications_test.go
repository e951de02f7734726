//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// runnable is a block of a page that readers are told to run.
var runnable = regexp.MustCompile("(?ms)^```console run\n(.*?)^```$")

// applicationsPage runs docs/applications.md as it is written: its blocks in order, in one shell, in org1's cluster.
func applicationsPage(t *testing.T, s *harness.Harness) {
	page := must2(t)(readFile(filepath.Join(s.Root, "docs/applications.md")))
	blocks := runnable.FindAllStringSubmatch(page, -1)
	if len(blocks) < 6 {
		t.Fatalf("the page has %d blocks to run: has their mark changed?", len(blocks))
	}
	must2(t)(s.Testbed(t.Context(), "load", "--cluster", "org1", "sample-application"))
	folder := t.TempDir()
	// The clone's files, without anything that is written beside them.
	if err := os.CopyFS(filepath.Join(folder, "samples"), os.DirFS(filepath.Join(s.Root, "samples"))); err != nil {
		t.Fatal(err)
	}
	script := "set -euo pipefail\n"
	for i, block := range blocks {
		script += fmt.Sprintf("echo '── block %d of the page' >&2\n%s\n", i+1, block[1])
	}
	t.Cleanup(func() {
		_, err := s.Kubectl(context.WithoutCancel(t.Context()), "org1", "delete", "namespace", "shop", "--ignore-not-found", "--timeout=5m")
		if err != nil {
			t.Error(err)
		}
	})
	command := exec.CommandContext(t.Context(), "bash", "-c", script)
	command.Dir = folder
	command.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig("org1"), "PATH="+pathWithPlugin(t, s))
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("the page does not work as it is written: %v\n%s", err, out)
	}
	for _, text := range []string{"one ton of rye", "two tons of rye", "three tons of rye"} {
		if !strings.Contains(string(out), harness.Digest(text)) {
			t.Errorf("nobody has read the digest of %q:\n%s", text, out)
		}
	}
	got, err := s.Read(t.Context(), "org3", "shop/receipt-2", testTimeout)
	if err != nil || !strings.Contains(got, harness.Digest("two tons of rye")) {
		t.Errorf("org3 reads %q, %v", got, err)
	}
}

// pathWithPlugin is a PATH on which kubectl finds the plugin, as `make build` and a reader would leave it.
func pathWithPlugin(t *testing.T, s *harness.Harness) string {
	t.Helper()
	folder := t.TempDir()
	for name, target := range map[string]string{"kubectl": "kubectl", "kubectl-hanse": "kubectl-hanse"} {
		if err := os.Symlink(s.Bin(target), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folder + ":" + os.Getenv("PATH")
}

func readFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	return string(text), err
}
