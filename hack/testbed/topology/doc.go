// Package topology plans a testbed: which clusters it has, which lines join them, and which address everything gets.
//
// It is pure: plans in, plans out. It must not know how a namespace is made or a process started.
package topology
