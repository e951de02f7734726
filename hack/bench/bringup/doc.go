// Package bringup measures how long it takes from `kubectl apply` to the first committed transaction, on a testbed of real
// clusters, and at which step the time goes. It stands on package harness, so it sees what a user sees; it must not know
// how the product does it.
package bringup
