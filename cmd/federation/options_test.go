package main

import (
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		why, says string
		change    func(*options)
	}{
		{"the defaults are sound", "", func(*options) {}},
		{"nobody works", "--workers", func(o *options) { o.workers = 0 }},
		{"an election without a place for its Lease", "--namespace", func(o *options) { o.namespace = "" }},
		{"no election needs none", "", func(o *options) { o.namespace, o.leaderElection = "", false }},
		{"a level that is none", "--log-level", func(o *options) { o.logLevel = "loud" }},
		{"a format that is none", "--log-format", func(o *options) { o.logFormat = "xml" }},
	} {
		o := defaults()
		c.change(&o)
		err := o.validate()
		if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}
