// Package discovery lets the agents of a Consortium's Members find each other and exchange what each makes known about
// itself, without the host. It yields a View per Consortium: an immutable, sorted snapshot of every Member's checked
// Record and of whether this agent is in contact with it.
//
// There is one memberlist cluster per Consortium, called its gossip group, and one TLS port for all of them. Outgoing
// connections are dialled through the own gateway with the far agent's name as SNI; incoming ones arrive from the
// gateway at one listener. Both ends of every connection present their agent certificate, which is verified against the
// pinned root of the Member that it names.
//
// # Connections
//
// Name, certificate and root of an agent are its organization's, the same in all Consortia. So a connection is authenticated
// once, and all groups share it that have the same Member with the same root: two agents have one that each has dialled, for
// its own streams, however many Consortia they have in common. Streams are multiplexed by package mux, each with a window of
// its own; a group has one for its packets and one for each exchange, and the first frame of a stream names the group. Nothing
// of the group needs a proof of its own: whether the caller is in it is what this agent's plan says of the authenticated Member.
//
// What others learn of it: on the line and at the gateways there is the SNI, and one connection each way, which no longer tells
// by its number how many Consortia two organizations have in common. The other agent is named only groups that this agent has
// it in; if it asks for another group, its stream ends as for a name that does not exist, and the connection goes on.
//
// A connection ends when one of its certificates expires or the own one is renewed, when the Member's root changes, when no
// group has the Member any more, or when a probe fails and nothing at all has come on it since. Rates and numbers of streams
// are limited for each Member and group, and for each connection.
//
// There are many groups, and contacts in each. None has a goroutine while there is nothing to do, apart from memberlist's own
// seven for each group, and one that reads each member's packets. BenchmarkGroups shows what a group costs.
//
// # Statements
//
// Agents exchange statements: a full exchange has the sender's own and the digests of all others, and what is missing is asked
// for. Small kinds, records and holdings, go to everybody and are held in memory; first blocks go to whoever asks for one,
// from where the agent keeps them.
//
// Gossip is not trusted. Statements travel through third parties, so each is verified with package statement. Membership
// messages do too, so a Member is Online only after contact with its own authenticated agent; what memberlist reports
// only triggers a probe. A Member that is lost stays in the View, not Online, with its last record.
//
// This is the only package that imports memberlist; mux, below it, is the only one that imports yamux. It must know nothing of
// Kubernetes objects, plans or phases.
package discovery
