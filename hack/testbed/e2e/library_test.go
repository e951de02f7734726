//go:build testbed

package e2e

import (
	"io"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed"
)

// library changes with the Go package what the command has made.
func (r rig) library(t *testing.T) {
	bed, err := testbed.Open(testbedName, io.Discard)
	check(t, err)
	link := testbed.Link{A: "host", B: "org1"}
	line, err := bed.Line(link)
	check(t, err)
	for _, step := range []struct {
		why, want string
		do        func() error
	}{
		{"restored, it is neither slow nor delayed", "up", func() error { return bed.Restore(t.Context(), link) }},
		{"cut", "cut", func() error { return bed.Cut(t.Context(), link) }},
		{"and whole again", "up", func() error { return bed.Restore(t.Context(), link) }},
	} {
		check(t, step.do())
		if state, err := bed.LineState(t.Context(), link); err != nil || state != step.want {
			t.Errorf("%s: %q %v", step.why, state, err)
		}
	}
	border, err := bed.Exec(t.Context(), testbed.Place{Cluster: "org1", Border: true}, "ip", "-oneline", "address")
	check(t, err)
	if out, err := border.Output(); err != nil || !strings.Contains(string(out), line.Address("org1").String()+"/30") {
		t.Errorf("on org1's border: %v %s", err, out)
	}
	clusters, err := bed.Clusters(t.Context())
	check(t, err)
	for _, c := range clusters {
		if kubeconfig, err := bed.Kubeconfig(c.Name); err != nil || kubeconfig != c.Kubeconfig || c.Node != "Ready" || c.Running != c.Programs {
			t.Errorf("%+v, kubeconfig %s %v", c, kubeconfig, err)
		}
	}
	if _, err := testbed.Open("none", io.Discard); err == nil {
		t.Error("a testbed that there is not is found")
	}
}
