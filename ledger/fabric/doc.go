// Package fabric is the ledger driver for Hyperledger Fabric: which certificates and workloads a Member's nodes need,
// what a channel's first block holds, and every call to peers and orderers.
//
// It is the only package that imports Fabric's libraries. It must know nothing of Kubernetes beyond the pod types, of
// the host, nor of the order in which the phases call it: everything it does can be done again at any time.
//
// Its tests on real nodes need Fabric's peer and orderer, and root or user namespaces:
//
//	HANSE_FABRIC_BIN=<directory with peer and orderer> go test -tags fabric ./ledger/fabric/
package fabric
