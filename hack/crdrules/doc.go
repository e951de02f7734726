// Command crdrules adds to generated CRDs what markers cannot say, so that no custom resource is stored that Go's types
// do not take: every quantity, duration, time and text of bytes gets a rule that admits only what can be decoded, every
// integer gets bounds, and a container's resources get rules on names, sizes and requests against limits.
//
//	crdrules charts/federation/crds
//
// It walks the Go types beside the schemas, for a schema alone does not say that a text is a duration. What people write
// gets rules with a sentence (CEL); what programs write (every status, MemberPlans and Statements) gets patterns, which the API
// server checks for less and which older API servers take too: before Kubernetes 1.34 the cost of a rule on a quantity
// was estimated as if it could fill a whole request. A plan's lists keep no CEL at all: they are long, and the API server
// refuses a CRD whose rules could cost too much together.
package main
