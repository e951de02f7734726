package hanse

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown is what can show that a feature is there: a command that people can run. That a cited test or step exists is held by
// TestDocumentsCiteWhatThereIs.
var shown = regexp.MustCompile("`(?:sudo )?(?:make [a-z0-9-]+|go test \\./[a-z/-]+ -run Test[A-Za-z0-9]+|go run \\./hack/[a-z]+ [^`]+)`")

// TestFeatures: each row of docs/features.md has one of three states, and what is supported names what shows it.
func TestFeatures(t *testing.T) {
	for _, c := range []struct{ page, supported, planned, not string }{
		{"docs/features.md", "supported", "planned", "not planned"},
		{"docs/zh/features.md", "已支持", "计划中", "不打算做"},
	} {
		counts := map[string]int{}
		for line := range strings.Lines(read(t, c.page)) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			if len(cells) != 3 || strings.HasPrefix(cells[0], "-") {
				continue
			}
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			feature, state, by := cells[0], cells[1], cells[2]
			switch {
			case state == "state" || state == "状态":
				continue
			case !slices.Contains([]string{c.supported, c.planned, c.not}, state):
				t.Errorf("%s: %s: %q is no state", c.page, feature, state)
			case state == c.supported && !shown.MatchString(by):
				t.Errorf("%s: %s: no command or test shows it, only %q", c.page, feature, by)
			case state != c.supported && by != "":
				t.Errorf("%s: %s: it is %s, and %s shows it", c.page, feature, state, by)
			}
			counts[state]++
		}
		if counts[c.supported] < 20 || counts[c.planned] == 0 || counts[c.not] == 0 {
			t.Errorf("%s: rows were found by state: %v: the pattern does not fit any more", c.page, counts)
		}
	}
}
