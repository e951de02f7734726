// Package line is a member's end of the lines: the table of routes, which the agent computes (Compute, pure), and the
// gateway that goes by it (Run).
//
// The gateway has two listeners. INSIDE takes connections of the member's own pods and passes them on, by the server
// name in their ClientHello, over the best healthy line to the member that serves that name. LINE takes connections from
// the lines and passes them to the member's own nodes and agent; it never passes them on to another line. Neither
// decrypts anything. The one connection that ends here is a far gateway's probe, which asks over mutual TLS whether this
// gateway is there and how it finds the line.
//
// The routing table is immutable and replaced as a whole, so that connections look at it without a lock. When a line
// goes down and another line to the same member is up, the connections over the first are closed: Fabric keeps streams
// for days, and only a client that has to reconnect takes the other line.
//
// Strangers reach the LINE listener, and the host and other members name the addresses that are dialed. admission keeps one
// source from taking the room of the others, a connection that is passed on has to get through its handshake in time and is
// closed when it has been silent for long, access decides what is dialed, and a Report's detail is for the own cluster alone.
//
// This package must not know Kubernetes objects, nor how a member's nodes are deployed: routes come in by a Source and
// reports go out by a Sink. github.com/inetaf/tcpproxy would do the routing itself, but has no deadline for a silent
// client, no bound on how many there are, no say on a connection once it runs, and cannot tell one refusal from another.
package line
