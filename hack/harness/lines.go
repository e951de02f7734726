package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// linePort is the gateway's port at every line's end, as testbed.yaml has it.
const linePort = 7443

// Lines declares the testbed's lines on the host.
func (h *Harness) Lines(ctx context.Context) error {
	return h.phase("declare the lines", func() error { return h.DeclareLines(ctx) })
}

// DeclareLines declares the lines that there are between organizations. Those to the host carry no ledger traffic and are
// not declared. The second line between the same two is the second choice, and so on.
func (h *Harness) DeclareLines(ctx context.Context) error {
	text, err := h.Testbed(ctx, "line", "list", "--output", "json")
	if err != nil {
		return err
	}
	manifests, err := lineManifests([]byte(text))
	if err != nil {
		return err
	}
	return h.Apply(ctx, "host", manifests)
}

// lineManifests are the Line objects for what `testbed line list -o json` prints.
func lineManifests(text []byte) (string, error) {
	type end struct{ Cluster, Address string }
	var lines []struct {
		Name  string
		Index int
		Ends  []end
	}
	if err := json.Unmarshal(text, &lines); err != nil {
		return "", fmt.Errorf("the testbed's lines: %w", err)
	}
	var out strings.Builder
	for _, l := range lines {
		if slices.ContainsFunc(l.Ends, func(e end) bool { return e.Cluster == "host" }) {
			continue
		}
		fmt.Fprintf(&out, `---
apiVersion: federation.hanse.io/v1alpha1
kind: Line
metadata:
  name: %s
spec:
  priority: %d
  ends:
`, l.Name, 100*l.Index)
		for _, e := range l.Ends {
			fmt.Fprintf(&out, "  - member: %s\n    address: %s\n    port: %d\n", e.Cluster, e.Address, linePort)
		}
	}
	return out.String(), nil
}
