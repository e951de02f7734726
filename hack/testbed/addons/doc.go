// Package addons holds the objects that every cluster of a testbed starts with, and puts them there: DNS, the default
// storage class, and the rights of the testbed's own programs.
//
// It must not know how a cluster is started.
package addons
