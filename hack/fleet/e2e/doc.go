// Package e2e tries a whole fleet out on this machine: go test -tags fleet ./e2e. It needs root and what fleet up
// needs, works on a fleet of its own name, and leaves nothing behind.
package e2e
