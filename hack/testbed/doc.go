// Package testbed makes real Kubernetes clusters on one Linux machine, each on a network of its own, joined by lines that
// can be cut, slowed and delayed. It needs root.
//
// A testbed outlives the program that made it: Open finds it again by its name, and every change takes the testbed's lock.
// It must not know any particular project: what of a clone it needs is in a Spec or in the clone's testbed.yaml.
package testbed
