// Package identity has the organization's certificates issued in its own cluster: the root that vouches for its agent
// and its gateway, and for each consortium the authorities and certificates that the ledger driver asks for. Keys are
// made by cert-manager in the cluster and stay there; this package only hands on certificates.
//
// It is the only importer of cert-manager's API. It must know nothing of the host, of lines, nor of what a certificate
// means to a ledger.
package identity
