// Package check says what is wrong with a cluster, and how to mend it: before Hanse is installed, and afterwards. Facts are
// collected by thin functions (collect*.go); what they mean is decided by pure ones, a file each concern. It changes nothing
// in a cluster, and must not read a private key.
package check

import (
	"cmp"
	"fmt"
	"slices"
)

// Level is how a check ended.
type Level string

// Levels.
const (
	OK      Level = "OK"
	Skipped Level = "Skipped"
	Warning Level = "Warning"
	Failed  Level = "Failed"
)

// order is that of a report: what has to be mended first.
var order = map[Level]int{Failed: 0, Warning: 1, Skipped: 2, OK: 3}

// Result is what one check found.
type Result struct {
	// Check is what was looked at, such as "Kubernetes version".
	Check string `json:"check"`
	Level Level  `json:"level"`
	// Message says what was found, and what is wrong with it.
	Message string `json:"message"`
	// Remedy says how to mend it; empty when nothing is wrong.
	Remedy string `json:"remedy,omitempty"`
}

// Report is the outcome of all checks.
type Report struct {
	Failed   int      `json:"failed"`
	Warnings int      `json:"warnings"`
	Results  []Result `json:"results"`
}

// NewReport puts results into order, problems first.
func NewReport(results []Result) Report {
	r := Report{Results: slices.Clone(results)}
	slices.SortStableFunc(r.Results, func(a, b Result) int { return cmp.Compare(order[a.Level], order[b.Level]) })
	for _, result := range results {
		switch result.Level {
		case Failed:
			r.Failed++
		case Warning:
			r.Warnings++
		}
	}
	return r
}

// Err is an error if a check has failed. Warnings are none.
func (r Report) Err() error {
	if r.Failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d checks failed", r.Failed, len(r.Results))
}

func ok(message string, args ...any) Result {
	return Result{Level: OK, Message: fmt.Sprintf(message, args...)}
}

func failed(remedy, message string, args ...any) Result {
	return Result{Level: Failed, Message: fmt.Sprintf(message, args...), Remedy: remedy}
}

func warning(remedy, message string, args ...any) Result {
	return Result{Level: Warning, Message: fmt.Sprintf(message, args...), Remedy: remedy}
}

func skipped(remedy, message string, args ...any) Result {
	return Result{Level: Skipped, Message: fmt.Sprintf(message, args...), Remedy: remedy}
}
