package topology

import (
	"fmt"
	"strings"
)

// Manifests renders the Line objects for the lines between organizations, ready for kubectl apply on the host.
// Lines to the host carry no ledger traffic and are not declared. The second line between the same two is the
// second choice, and so on.
func (f *Testbed) Manifests() string {
	var out strings.Builder
	for _, l := range f.Lines {
		if l.Has(Host) {
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
`, l.Name(), 100*l.Index)
		for _, end := range []string{l.A, l.B} {
			fmt.Fprintf(&out, "  - member: %s\n    address: %s\n    port: %d\n", end, l.Address(end), LinePort)
		}
	}
	return out.String()
}
