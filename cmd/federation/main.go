// Command federation is the host's controller: it registers Members' agents, computes the plan of each Member for each
// Consortium, and aggregates the Members' reports into statuses. This package parses flags and adds the controllers of the
// packages below federation to a manager; it must know nothing of how any of them works.
package main

import (
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	if err := command().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		os.Exit(1)
	}
}
