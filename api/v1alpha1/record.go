package v1alpha1

// MaxRecordBytes is the size that a signed record, payload and all, may have. A larger one is rejected without being parsed.
const MaxRecordBytes = 256 << 10

// Record is what one Member publishes about itself to the others in one Consortium. It travels as the payload (JSON)
// of a SignedRecord, by gossip and through the host, and is used only once its signature has been verified
// against the Member's pinned root.
type Record struct {
	// Member that speaks.
	Member string `json:"member"`
	// MSPID is the Member's name on the ledger, as its own organization has it; NAMEMSP when empty.
	// +optional
	MSPID string `json:"mspID,omitempty"`
	// Consortium that it speaks about.
	Consortium string `json:"consortium"`
	// Sequence rises with every change; of two records of one Member the higher one is valid. It is the time of the change
	// in nanoseconds since 1970, or one more than the last, whichever is more.
	Sequence int64 `json:"sequence"`
	// Nodes that the Member runs.
	// +optional
	Nodes []RecordNode `json:"nodes,omitempty"`
	// Lines are the addresses of the Member's line ends, as the others reach them.
	// +optional
	Lines []RecordLine `json:"lines,omitempty"`
	// IdentityRoots are the PEM certificates of the CAs that issue the Member's ledger identities (Fabric: the MSP's roots).
	// +optional
	IdentityRoots []string `json:"identityRoots,omitempty"`
	// TLSRoots are the PEM certificates of the CAs that issue the Member's nodes' TLS certificates.
	// +optional
	TLSRoots []string `json:"tlsRoots,omitempty"`
	// Channels are the first blocks that the Member has checked and pinned, of the channels in its plan. No node joins a
	// channel before the records of all Members concerned show the same one.
	// +optional
	Channels []RecordChannel `json:"channels,omitempty"`
}

// RecordChannel is the first block of one channel in a Record.
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
}

// RecordLine is one line end in a Record.
type RecordLine struct {
	// Name of the Line.
	Name string `json:"name"`
	// Address and port at which the other end of that line reaches the Member's gateway.
	Address string `json:"address"`
	Port    int32  `json:"port"`
}

// SignedRecord is an envelope: a payload, who signed it, and the signature.
type SignedRecord struct {
	// Payload is the JSON of a Record, byte for byte as it was signed.
	// +kubebuilder:validation:MaxLength=349528
	Payload []byte `json:"payload"`
	// Certificates is the signer's chain in PEM, leaf first.
	// +kubebuilder:validation:MaxLength=32768
	Certificates string `json:"certificates"`
	// Signature is the leaf key's ECDSA signature (ASN.1 DER) over SHA-256 of the label "hanse-record-v1\n" and the payload.
	// +kubebuilder:validation:MaxLength=1024
	Signature []byte `json:"signature"`
}
