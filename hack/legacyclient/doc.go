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
//   - channels.<channel>.peers.<peer>: who is asked for discovery, queries and events; all four roles true for the
//     organization's own peers. With no "channels" at all the SDK takes the organization's own peers, for all channels.
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
// # What it needs of the network
//
// The SDK asks a peer who else is on the channel, and dials peers under the names that they answer with, such as
// peer0-org2.hanse-trade:7051. So these names have to resolve and be reachable from where the program runs: in a pod of
// the organization's own cluster, in the consortium's namespace or any other, they do. Elsewhere, give the profile
// entityMatchers that map the names to addresses and set the name to check:
//
//	entityMatchers:
//	  peer:
//	    - pattern: ([^:/]+):(\d+)
//	      urlSubstitutionExp: 192.0.2.10:7443
//	      sslTargetOverrideUrlSubstitutionExp: ${1}
//	      mappedHost: ${1}
//	  orderer: (the same)
//
// One address will do for all nodes where a gateway routes by SNI: the SDK sends the overriding name as SNI.
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
