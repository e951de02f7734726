// Command legacyclient is an application as many are: built on fabric-sdk-go v1.0.0, which is archived and knows
// nothing of Hanse. It notarizes a text through the connection profile that Hanse exports and reads the record back,
// to hold that such applications go on working. It lives in a module of its own, because the SDK and the product's
// libraries register the same protobuf files and cannot share a binary. It must not import the product.
//
// # What it needs of the profile
//
// The common connection profile, version 1.0.0, as YAML (.yaml) or JSON (.json). These fields, and why:
//
//   - client.organization: the key of the caller's organization below. The SDK lower-cases it, so keys of
//     organizations are lower case, and have no dot: the SDK reads "organizations.<key>.mspid" as a path.
//   - organizations.<key>.mspid and .peers: for the caller's own organization, whose peers are the way in, and for
//     every other organization whose peers are listed.
//   - organizations.<key>.cryptoPath: any text. The SDK reads it for file-based identities only, this program has a
//     wallet in memory.
//   - channels.<channel>.peers.<peer>: the organization's own peers and no others, all four roles true. These are asked
//     for discovery; other organizations' peers come from its answer.
//   - channels.<channel>.policies.discovery.maxTargets: 1. The SDK asks so many of the peers above at once, takes the first
//     answer and breaks the other calls off, half-way through TLS if it comes to that. It shares connections, so an
//     endorsement by such a peer then fails for 10 s. With the peers of two organizations listed and the default of 2,
//     some transactions took 15 to 22 s instead of 0.4 s.
//   - channels.<channel>.orderers: required. Since channel capability V3_0 a channel has no global orderer addresses,
//     only addresses per organization, and the SDK does not read those. Without this list every submit fails.
//   - peers.<name>.url and orderers.<name>.url: "grpcs://<host>:<port>" with the one name that the node has everywhere.
//   - peers.<name>.tlsCACerts.pem and orderers.<name>.tlsCACerts.pem: the roots of the node's TLS. The SDK takes only the
//     first certificate of each; the roots of peers' organizations it also learns from the channel's configuration.
//   - grpcOptions.ssl-target-name-override: only if the host in the url is not a name in the node's certificate.
//   - client.tlsCerts.systemCertPool: false or absent, so that nothing but these roots is trusted.
//   - client.credentialStore.cryptoStore.path: a writable folder, or none, and then the working directory has to be
//     writable: the SDK makes a "keystore" folder at its start, though this program puts nothing into it.
//
// certificateAuthorities are not needed: the identity is given, not enrolled.
//
// # What it needs of the channel
//
// No certificate of an MSP's root in the channel's configuration may have a signature with a high S value, as half of all
// ECDSA certificates have, while the NodeOUs name that certificate. The SDK brings the root into the low-S form, then
// looks for the issuer of the certificate in NodeOUs, which it left as it was. Built with a Go of the last years it finds
// none: "sanitizeCert failed the supplied identity is not valid: x509: certificate signed by unknown authority". No
// application on this SDK can then use the channel. Peers are not concerned. two ways to fix it, both tried: put the
// roots into the configuration in low-S form (s becomes n-s; the certificate stays valid), or leave the certificates of
// the NodeOUs out, since they are optional.
//
// # What it needs of the network
//
// The SDK asks a peer who else is on the channel, and dials peers under the names that they answer with, such as
// peer0-org2.hanse-trade:7051. So these names have to resolve and be reachable from where the program runs: in a pod of
// the organization's own cluster, in whatever namespace, they do. Elsewhere, give the profile entityMatchers that map
// each name to an address, and set the name to check, which is the SNI too:
//
//	entityMatchers:
//	  peer:
//	    - pattern: ([^:/]+):(\d+)
//	      urlSubstitutionExp: ${1}.nodes.example.com:7443
//	      sslTargetOverrideUrlSubstitutionExp: ${1}
//	      mappedHost: ${1}
//	  orderer: (the same)
//
// All these addresses may lead to one router that tells nodes apart by SNI, through a wildcard in DNS, say. But they have
// to differ as text: the SDK keeps one connection per address, whatever name it was opened for, and would send
// everything to one node.
// DISCOVERY_AS_LOCALHOST must not be true: it maps all nodes to localhost.
//
// The ordering service has to be Raft: the SDK sends a transaction to one orderer only, which BFT does not allow for.
//
// # Exit codes
//
// 0: notarized and read back. 2: wrong flags or unreadable files. 3: the network cannot be entered (profile, DNS, TLS,
// discovery, channel configuration). 4: the transaction failed (endorsement, ordering, validation). 5: the query
// failed. 6: what was read back is not what was written.
package main
