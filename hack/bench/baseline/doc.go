// Package baseline is what the same programs do without Kubernetes: three organizations with a peer, an orderer and a
// contract each, as processes on loopback in a network namespace of their own, joined into a channel by the driver.
// Bring-up is held against it. It also measures what gateways cost the ledger, by running the same network once with
// the nodes dialling each other and once with everything between organizations going through their gateways, and what
// transactions feel of a line that is cut while there is a second one.
//
// It must not know anything of clusters.
package baseline
