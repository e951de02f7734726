// Package cleanup takes clusters and testbeds away. It goes by what is there, not by what is written down: a crash half
// way through leaves no true record, so everything of a testbed is found again by the names that only this testbed gives
// (namespaces, cgroups, interface aliases, directories), and no process is ever told by its name.
//
// It must not know how any of it was made.
package cleanup
