package check

import (
	"fmt"
	"strings"
)

// marks stand before each result on a terminal, as in `kubectl hanse status`.
var marks = map[Level]string{OK: "✓", Skipped: "-", Warning: "!", Failed: "✗"}

// Text is one result as people read it: what was found, and below it how to mend it.
func (r Result) Text() string {
	text := fmt.Sprintf("%s %-8s %-28s %s\n", marks[r.Level], r.Level, r.Check, r.Message)
	if r.Remedy != "" {
		text += strings.Repeat(" ", 40) + "→ " + r.Remedy + "\n"
	}
	return text
}

// Summary counts.
func (r Report) Summary() string {
	return fmt.Sprintf("%d checks: %d failed, %d warnings\n", len(r.Results), r.Failed, r.Warnings)
}

// Text is the whole report as people read it, problems first.
func (r Report) Text() string {
	var out strings.Builder
	for _, result := range r.Results {
		out.WriteString(result.Text())
	}
	return out.String() + r.Summary()
}
