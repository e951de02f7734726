// Package gateway is the SNI router at an organization's line ends (Run). The agent computes its routes.
//
// The gateway has two listeners. INSIDE accepts connections of the member's own pods and forwards them, by the SNI of
// their ClientHello, over the best healthy line to the member that serves that name. LINE accepts connections from
// the lines and forwards them to the member's own nodes and agent, never to another line. Neither terminates TLS. The
// one connection that is terminated here is a far gateway's probe, which asks over mutual TLS whether this gateway is
// up and in which state it has the line.
//
// The routing table is immutable and replaced as a whole, so that connections read it without a lock. When a line
// goes down and another line to the same member is up, the connections over the first are closed: Fabric keeps streams
// for days, and only a client that has to reconnect uses the other line.
//
// An organization has several gateways. Each probes and reports for itself, and knows nothing of the others; package routing
// merges what they report. One that is asked to stop drains (see drain), so that its clients come to another one.
//
// Unauthenticated clients reach the LINE listener, and the host and other members name the addresses that are dialed.
// admission limits the connections of one source, a forwarded connection has to complete its handshake in time and is
// closed when it is idle for long, access decides what is dialed, and a LineReport's detail is for the own cluster alone.
//
// This package must not know Kubernetes objects, the agent, nor how a member's nodes are deployed: routes come in by a
// Source and reports go out by a Sink. github.com/inetaf/tcpproxy would do the routing itself, but has no deadline for a silent
// client, no limit on the number of clients, no control of an established connection, and no reasons of rejections.
package gateway
