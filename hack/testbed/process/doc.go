// Package process starts a cluster's programs so that they outlive the testbed command, and finds and kills them again.
// A process is known by its id and its start time together, never by its name.
//
// It must not know what the programs do.
package process
