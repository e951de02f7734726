// Package network makes a testbed's LANs, borders and lines out of network namespaces and veth pairs, and the firewall
// rules of each. What crosses a border is one TCP port; everything else is dropped.
//
// It must not know what runs inside the LANs.
package network
