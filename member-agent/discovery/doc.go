// Package discovery lets the agents of a Consortium's Members find each other and exchange what each makes known about
// itself, without the host. It yields a View per Consortium: an immutable, sorted snapshot of every Member's checked
// Record and of whether this agent is in contact with it.
//
// There is one memberlist cluster per Consortium, called its gossip group, and one TLS port for all of them. Outgoing
// connections are dialled through the own gateway with the far agent's name as SNI; incoming ones arrive from the
// gateway at one listener. Both ends of every connection present their agent certificate, which is verified against the
// pinned root of the Member that it names, and the first frame names the group.
//
// Agents exchange statements: a full exchange has the sender's own and the digests of all others, and what is missing is asked
// for. Small kinds, records and holdings, go to everybody and are held in memory; first blocks go to whoever asks for one,
// from where the agent keeps them.
//
// Gossip is not trusted. Statements travel through third parties, so each is verified with package statement. Membership
// messages do too, so a Member is Online only after contact with its own authenticated agent; what memberlist reports
// only triggers a probe. A Member that is lost stays in the View, not Online, with its last record.
//
// This is the only package that imports memberlist. It must know nothing of Kubernetes objects, plans or phases.
package discovery
