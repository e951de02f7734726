package v1alpha1

// Record is what one Member publishes about itself to the others in one Consortium: the payload of a statement of kind
// Record, with the fields that come from the statement itself and from the Member's Holdings filled in.
type Record struct {
	// Member that speaks, of the statement.
	Member string `json:"-"`
	// Consortium that it speaks about, of the statement.
	Consortium string `json:"-"`
	// Sequence of the statement.
	Sequence int64 `json:"-"`
	// MSPID is the Member's name on the ledger, as its own organization has it; NAMEMSP when empty.
	// +optional
	MSPID string `json:"mspID,omitempty"`
	// Nodes that the Member runs.
	// +optional
	Nodes []RecordNode `json:"nodes,omitempty"`
	// Lines are the addresses of the Member's line ends, as the others reach them.
	// +optional
	Lines []RecordLine `json:"lines,omitempty"`
	// IdentityRoots are the PEM certificates of the CAs that issue the Member's ledger identities (Fabric: the MSP's roots).
	// +optional
	IdentityRoots []string `json:"identityRoots,omitempty"`
	// IdentityKeys are the public parts, in PEM, of the bare keys by which the Member itself is known on a ledger that has no
	// certificates.
	// +optional
	IdentityKeys []string `json:"identityKeys,omitempty"`
	// TLSRoots are the PEM certificates of the CAs that issue the Member's nodes' TLS certificates.
	// +optional
	TLSRoots []string `json:"tlsRoots,omitempty"`
	// Channels are the first blocks that the Member has checked and pinned, of the channels in its plan: its Holdings, which
	// are a statement of their own, since they change while the rest stays. No node joins a channel before all Members
	// concerned show the same one.
	Channels []RecordChannel `json:"-"`
	// HoldingsSequence is the sequence of the statement with the Holdings; zero if there is none.
	HoldingsSequence int64 `json:"-"`
}

// RecordChannel is the first block of one channel in a Member's Holdings.
type RecordChannel struct {
	// Name of the channel.
	Name string `json:"name"`
	// GenesisHash is the hex SHA-256 of the block's header.
	GenesisHash string `json:"genesisHash"`
}

// RecordNode is one ledger node in a Record. Whether it runs is not in it: a Record is signed, stored and distributed in
// every plan whenever it changes, so it holds a Member's identity and not its state.
type RecordNode struct {
	Name string   `json:"name"`
	Role NodeRole `json:"role"`
	Port int32    `json:"port"`
	// TLSCertificate is the PEM of an orderer's TLS certificate, by which the other consenters know it.
	// +optional
	TLSCertificate string `json:"tlsCertificate,omitempty"`
	// PublicKey is the public part, in PEM, of the bare key by which the others know the node, on a ledger that has no
	// certificates.
	// +optional
	PublicKey string `json:"publicKey,omitempty"`
}

// RecordLine is one line end in a Record.
type RecordLine struct {
	// Name of the Line.
	Name string `json:"name"`
	// Address and port at which the other end of that line reaches the Member's gateway.
	Address string `json:"address"`
	Port    int32  `json:"port"`
}
