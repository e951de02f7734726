// Package line computes the routes of the organization's gateway from the plans that its agent trusts and the records that
// it has verified (Compute, pure). What routes are and how the gateway reads them is package routing.
//
// It must not know Kubernetes objects, nor the gateway itself.
package line
