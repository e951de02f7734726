// Package statement signs what a Member tells the others of a Consortium, checks what the others tell, and pins the roots by
// which they are known. A statement comes by gossip, through third parties, and by way of the host, and both are untrusted
// until the checks here have passed: size first, then the chain to the pinned root of the Member that the statement names,
// then the signature over the canonical encoding, then the content, by the kind's own check.
//
// It is pure: no clock of its own, no network, no cluster. It must know nothing of how statements travel or of who uses them.
package statement
