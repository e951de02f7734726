// Package exitcode has the codes that the plugin ends with, which scripts rely on: docs/plugin.md lists them. It must not
// know which command fails of what.
package exitcode

import (
	"errors"
	"fmt"
)

// The codes. Those of `invoke` from 3 to 6 are the member agent's own, which it ends with in its pod.
const (
	OK = 0
	// Failed is anything that has no code of its own: no cluster, no right, no such object.
	Failed = 1
	// Usage is a command line that cannot be carried out anywhere. Nothing has been asked of a cluster.
	Usage = 2
	// ContractRefused, NotEndorsed, NotCommitted and NotReached are how a transaction fails.
	ContractRefused = 3
	NotEndorsed     = 4
	NotCommitted    = 5
	NotReached      = 6
	// NotReady is that what was waited for has not come to be in time.
	NotReady = 7
	// Skew is that programs run whose versions are too far apart.
	Skew = 8
	// Interrupted is what shells use for a program that Ctrl-C has ended.
	Interrupted = 130
)

// coded is an error with the code to end with.
type coded struct {
	error
	code int
}

// ExitCode is the code to end with.
func (c coded) ExitCode() int { return c.code }

func (c coded) Unwrap() error { return c.error }

// With has the program end with a code if it fails of err. The error is nil where err is.
func With(code int, err error) error {
	if err == nil {
		return nil
	}
	return coded{err, code}
}

// Usagef is an error of the command line.
func Usagef(format string, args ...any) error { return With(Usage, fmt.Errorf(format, args...)) }

// Of is the code that the program ends with after err, which may be nil.
func Of(err error) int {
	var chosen interface{ ExitCode() int }
	switch {
	case err == nil:
		return OK
	case errors.As(err, &chosen):
		return chosen.ExitCode()
	}
	return Failed
}
