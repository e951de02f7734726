// Package discovery lets the agents of a Consortium's Members find each other and exchange what each makes known about
// itself, without the host. It yields a View per Consortium: an immutable, sorted snapshot of every Member's checked
// Record and of whether this agent is in contact with it.
//
// There is one memberlist ring per Consortium, and one TLS port for all of them. What goes out is dialled through the
// own gateway with the far agent's name as SNI; what comes in is taken from the gateway by one listener. Both ends of
// every connection show their agent certificate, each is checked against the pinned root of the very Member that it
// names, and the first frame says which ring the connection is for.
//
// Gossip is hearsay. Records travel through third parties, so each is checked with package signature before it counts.
// Who is alive is hearsay too, so a Member is Online only after contact with its own authenticated agent, whatever the
// ring says; what the ring says is only a reason to look. A Member that is lost stays in the View, not Online: nothing
// is known of it, and nothing is forgotten.
//
// This is the only package that imports memberlist. It must know nothing of Kubernetes objects, plans or phases.
package discovery
