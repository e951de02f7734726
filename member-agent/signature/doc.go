// Package signature signs what a Member makes known about itself, checks what others say about themselves, and pins the
// roots by which they are known. A SignedRecord comes by gossip, through third parties, and by way of the host, and both
// are untrusted until the checks here have passed: size first, then the chain to the pinned root of the Member that the
// record names, then the signature, then the content.
//
// It is pure: no clock of its own, no network, no cluster. It must know nothing of how records travel or of who uses them.
package signature
