//go:build integration

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestValuesOfTheChart renders the chart with values as people mistype them: each is refused with a reason.
func TestValuesOfTheChart(t *testing.T) {
	helm := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "helm")
	for _, c := range []struct{ why, set, says string }{
		{"as it comes", "", ""},
		{"standbys", "replicas=3", ""},
		{"nobody works", "replicas=0", "replicas"},
		{"no workers", "workers=0", "workers"},
		{"workers in words", "workers=many", "workers"},
		{"a level that is none", "log.level=verbose", "level"},
		{"a level in capitals", "log.level=INFO", "level"},
		{"a format that is none", "log.format=xml", "format"},
		{"a value that is none", "replica=2", "replica"},
		{"a value that is none, below", "image.repo=x", "repo"},
		{"a digest cut short", "image.digest=sha256:abc", "digest"},
		{"memory in MB", "resources.limits.memory=512MB", "such as 500m or 64Mi"},
		{"a policy that may be", "admissionPolicy=perhaps", "admissionPolicy"},
	} {
		t.Run(c.why, func(t *testing.T) {
			args := []string{"template", "x", "../../charts/federation", "--namespace", "hanse-system"}
			if c.set != "" {
				args = append(args, "--set", c.set)
			}
			out, err := exec.Command(helm, args...).CombinedOutput()
			if (err == nil) != (c.says == "") || !strings.Contains(string(out), c.says) {
				t.Errorf("got %v, want %q in\n%.2000s", err, c.says, out)
			}
		})
	}
}
