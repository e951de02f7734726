// Package controlplanes runs the product on two control planes without nodes: kube-apiserver, etcd and kube-controller-manager
// for the host, kube-apiserver and etcd for one Member. federation and member-agent run as the processes that their
// charts describe, as the ServiceAccounts of their charts, registered through a real invitation. Without nodes, what is
// measured is the product and its two API servers, and not kubelets.
//
// It must know nothing of what is measured.
package controlplanes
