package main

import (
	"strings"
	"testing"
)

func TestWrongNumberOfArgumentsSaysUsage(t *testing.T) {
	for _, c := range []struct {
		why  string
		args []string
		says string
	}{
		{"no consortium", []string{"status"}, "kubectl hanse status CONSORTIUM"},
		{"two consortia", []string{"profile", "trade", "other"}, "kubectl hanse profile CONSORTIUM"},
		{"no member", []string{"invite"}, "kubectl hanse invite MEMBER"},
		{"no function", []string{"invoke"}, "kubectl hanse invoke FUNCTION"},
		{"no consortium, with the flag that is needed", []string{"env", "--out", "x"}, "kubectl hanse env CONSORTIUM --out FOLDER"},
	} {
		t.Run(c.why, func(t *testing.T) {
			root := command()
			root.SetArgs(c.args)
			if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to say how to write %q", err, c.says)
			}
		})
	}
}
