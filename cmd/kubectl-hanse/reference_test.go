package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
)

// TestDocuments: what a person or a script can rely on stands in the documents, in both languages.
func TestDocuments(t *testing.T) {
	for _, folder := range []string{"../../docs", "../../docs/zh"} {
		pages, err := filepath.Glob(filepath.Join(folder, "*.md"))
		if err != nil || len(pages) == 0 {
			t.Fatalf("%s has no pages (%v)", folder, err)
		}
		var all strings.Builder
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		text := all.String()
		for _, c := range command().Commands() {
			if !strings.Contains(text, "kubectl hanse "+c.Name()) {
				t.Errorf("%s has nothing of kubectl hanse %s", folder, c.Name())
			}
			c.LocalFlags().VisitAll(func(flag *pflag.Flag) {
				if !strings.Contains(text, "`--"+flag.Name+"`") {
					t.Errorf("%s has nothing of --%s of %s", folder, flag.Name, c.Name())
				}
			})
		}
		for _, code := range []int{
			exitcode.OK, exitcode.Failed, exitcode.Usage, exitcode.ContractRefused, exitcode.NotEndorsed, exitcode.NotCommitted, exitcode.NotReached,
			exitcode.NotReady, exitcode.Skew, exitcode.Interrupted,
		} {
			if !strings.Contains(text, fmt.Sprintf("\n| %d | ", code)) {
				t.Errorf("%s has no row for exit code %d", folder, code)
			}
		}
	}
}
