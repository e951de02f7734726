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
		{"the defaults are valid", "", func(*options) {}},
		{"no workers", "--workers", func(o *options) { o.workers = 0 }},
		{"an election without a place for its Lease", "--namespace", func(o *options) { o.namespace = "" }},
		{"no election needs none", "", func(o *options) { o.namespace, o.leaderElection = "", false }},
		{"an image of a template", "", func(o *options) { o.contractImages = map[string]string{"notary": "registry.example.com/notary:1"} }},
		{"an image of what is no template", "there is no template", func(o *options) { o.contractImages = map[string]string{"casino": "x"} }},
		{"a level that is none", "--log-level", func(o *options) { o.logs.Level = "loud" }},
		{"a format that is none", "--log-format", func(o *options) { o.logs.Format = "xml" }},
	} {
		o := defaults()
		c.change(&o)
		err := o.validate()
		if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}
