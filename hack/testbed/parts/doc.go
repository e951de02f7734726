// Package parts builds the programs that a cluster of the testbed is made of, from the modules that testbed.yaml names, and
// keeps them in a cache outside the clone. What was built from the same sources is never built again.
//
// It must not know how the programs are run, nor of any cluster.
package parts
