package version

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// root of the clone.
const root = "../.."

func TestCurrent(t *testing.T) {
	if !regexp.MustCompile(`^(0|[1-9][0-9]*)([.](0|[1-9][0-9]*)){2}(-[0-9A-Za-z.-]+)?$`).MatchString(Current) {
		t.Errorf("internal/version/VERSION holds %q: write a semantic version such as 0.2.0", Current)
	}
}

// place is where a version stands.
type place struct {
	why, files, pattern string
	// times is how often it stands in each file, at least.
	times int
}

// Whatever else tells the version tells the same: what make generate writes, and what people read.
func TestEverywhere(t *testing.T) {
	agree(t, Current, "run make generate", []place{
		{"the charts' own versions", "charts/*/Chart.yaml", `(?m)^version: (.*)$`, 1},
		{"the programs' versions in the charts, which are the tags of their images", "charts/*/Chart.yaml", `(?m)^appVersion: "(.*)"$`, 1},
		{"the CRDs, which Helm does not upgrade", "charts/*/crds/*.yaml", `(?m)^    app\.kubernetes\.io/version: (.*)$`, 1},
		{"the images that the testbed makes", "testbed.yaml", `ghcr\.io/hanse-io/hanse-[a-z-]+:(\S+)`, 3},
		{"what tests and demo install", "hack/harness/harness.go", `(?m)^const Version = "(.*)"$`, 1},
	})
}

// The contracts that ship with Hanse have a version of their own: another one would be another definition, which every
// organization of every channel approves anew. It changes when the contracts do, not with every release.
func TestContracts(t *testing.T) {
	template := regexp.MustCompile(`(?m)^const TemplateVersion = "(.*)"$`).FindSubmatch(read(t, filepath.Join(root, "federation/plan/contract.go")))
	if template == nil {
		t.Fatal("federation/plan/contract.go has no TemplateVersion")
	}
	agree(t, string(template[1]), "it has to be TemplateVersion in federation/plan/contract.go", []place{
		{"the images that the testbed makes", "testbed.yaml", `ghcr\.io/hanse-io/contract-[a-z-]+:(\S+)`, 2},
		{"what tests declare", "hack/harness/harness.go", `(?m)^const ContractVersion = "(.*)"$`, 1},
		{"what the page on images says", "docs/operating.md", `contract-notary:([0-9.]+)`, 1},
	})
}

// agree checks that a version is the same in all places.
func agree(t *testing.T, want, remedy string, places []place) {
	t.Helper()
	for _, row := range places {
		files, err := filepath.Glob(filepath.Join(root, row.files))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no file %s, %v", row.why, row.files, err)
		}
		for _, file := range files {
			found := regexp.MustCompile(row.pattern).FindAllSubmatch(read(t, file), -1)
			if len(found) < row.times {
				t.Errorf("%s: %s has %d matches of %s, not %d", row.why, file, len(found), row.pattern, row.times)
			}
			for _, match := range found {
				if got := string(match[1]); got != want {
					t.Errorf("%s: %s says %q, not %q: %s", row.why, file, got, want, remedy)
				}
			}
		}
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
