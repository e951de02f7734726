package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reference is an image with a registry and a tag, as charts, planners and templates write it.
var reference = regexp.MustCompile(`\b(docker\.io|ghcr\.io|quay\.io|registry\.k8s\.io)/[a-z0-9._/-]+:[A-Za-z0-9_][A-Za-z0-9_.-]*`)

// TestListIsWhole searches what can make a pod for image references: each of them is in the list.
func TestListIsWhole(t *testing.T) {
	list, err := references("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		why, folder, suffix string
		least               int
	}{
		{"the charts' templates and values", "charts", ".yaml", 0},
		{"the planner's defaults", "ledger/fabric/planner", ".go", 3},
		{"the host's defaults", "federation", ".go", 0},
		{"the agent's own pods", "member-agent", ".go", 0},
		{"the samples", "samples", ".yaml", 0},
	} {
		found := 0
		err := filepath.WalkDir(filepath.Join("../..", at.folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			if entry.IsDir() || !strings.HasSuffix(path, at.suffix) || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			for _, match := range reference.FindAllString(string(text), -1) {
				found++
				if !slices.Contains(list, match) {
					t.Errorf("%s: %s has %s, which the list of a release's images does not", at.why, path, match)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if found < at.least {
			t.Errorf("%s: found %d references, not %d: the search does not see them", at.why, found, at.least)
		}
	}
}

// TestListIsMade: what is of Hanse's own in the list, and nothing else of it, is an image that testbed.yaml makes, and a
// release with it.
func TestListIsMade(t *testing.T) {
	list, err := references("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../testbed.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range list {
		if strings.Contains(image, "/hanse-io/") && !strings.Contains(string(text), "reference: "+image+"\n") {
			t.Errorf("testbed.yaml makes no %s", image)
		}
	}
	for _, match := range regexp.MustCompile(`reference: (ghcr\.io/hanse-io/(?:hanse|contract)-\S+)`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(list, match[1]) {
			t.Errorf("testbed.yaml makes %s, which is in no release", match[1])
		}
	}
}

// The repository of a chart's image is where a tag or appVersion goes behind.
func TestImagesIn(t *testing.T) {
	values := map[string]any{
		"image":   map[string]any{"repository": "r.io/a", "tag": ""},
		"gateway": map[string]any{"image": map[string]any{"repository": "r.io/b", "tag": "9"}},
		"other":   []any{"r.io/c:1"},
	}
	found := imagesIn(values, "1.2.3")
	slices.Sort(found)
	if want := []string{"r.io/a:1.2.3", "r.io/b:9"}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}
