// Command ccaas-builder is an external builder for Fabric peers, for chaincode that runs as a service: a package holds
// no code, only the address at which the peer finds its server. One static binary is all three programs that a peer
// calls, detect, build and release; the name that it is called by says which.
//
// It behaves as the builder in the official fabric-peer images does (see "Chaincode as an external service" in Fabric's
// documentation), so a pod specification serves both images. It must know nothing of Hanse.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// configVariable names the environment variable with a JSON object of the values for placeholders in connection.json.
// A peer passes it on because core.yaml names it under propagateEnvironment.
const configVariable = "CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG"

func main() {
	if err := run(filepath.Base(os.Args[0]), os.Args[1:], os.Getenv(configVariable)); err != nil {
		fmt.Fprintln(os.Stderr, "ccaas-builder:", err)
		os.Exit(1)
	}
}

func run(program string, arguments []string, config string) error {
	want := map[string]int{"detect": 2, "build": 3, "release": 2}[program]
	switch {
	case want == 0:
		return fmt.Errorf("call it as detect, build or release (by a symbolic link), not as %q", program)
	case len(arguments) != want:
		return fmt.Errorf("%s takes %d directories, got %d", program, want, len(arguments))
	}
	switch program {
	case "detect":
		return detect(arguments[1])
	case "build":
		return build(arguments[0], arguments[2], config)
	default:
		return release(arguments[0], arguments[1])
	}
}
