// Package pki makes a cluster's certificates: one authority each for the cluster, for etcd and for API aggregation,
// and what they sign. Everything is written once and kept; a second run with the same names changes nothing.
//
// It must not know which program uses which certificate.
package pki
