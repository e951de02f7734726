// Package e2e tries a whole testbed out on this machine: go test -tags testbed ./e2e. It needs root and what testbed up
// needs, works on a testbed of its own name, and leaves nothing behind.
package e2e
