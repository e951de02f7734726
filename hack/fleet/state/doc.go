// Package state keeps what a fleet consists of in a file, and lets only one command at a time change a fleet.
//
// It must not know how any of it is made.
package state
