// Package state keeps what a testbed consists of in a file, and lets only one command at a time change a testbed.
//
// It must not know how any of it is made.
package state
