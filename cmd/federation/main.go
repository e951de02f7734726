// Command federation is the host's controller: it admits Members' agents, works out what each Member has to do for each
// Consortium, and reports what the Members say of it. This package turns flags into options and wires the rooms of the
// federation wing together; it must know nothing of how any of them does its work.
package main

import (
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set by the linker.
var version = "0.1.0"

func main() {
	if err := command().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		os.Exit(1)
	}
}
