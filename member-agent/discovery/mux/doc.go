// Package mux carries many independent streams over one connection, with hashicorp/yamux, whose frames it checks before
// yamux sees them.
//
// The two ends have fixed roles: the side that has dialled opens streams, the other accepts them. Every stream has a window
// of its own, so one that nobody reads holds up no other, and what is written goes out in small pieces in turn.
//
// yamux trusts its peer in some places where this package does not: it answers every ping in a goroutine of its own, also
// while nothing can be sent, and takes streams from either end. Pings are not used here, and end the session, as do frames
// out of role; see filter.
//
// This is the only package that imports yamux. It must know nothing of groups, members, or what the streams carry.
package mux
