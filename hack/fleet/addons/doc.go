// Package addons holds the objects that every cluster of a fleet starts with, and puts them there: DNS, the default
// storage class, and the rights of the fleet's own programs.
//
// It must not know how a cluster is started.
package addons
