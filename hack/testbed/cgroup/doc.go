// Package cgroup gives each cluster of a testbed a cgroup of its own, in which everything that the cluster ever starts is
// found again: its own programs in <cluster>/system, its pods beside that. It works on cgroup v1 and v2.
//
// It must not know what the processes are.
package cgroup
