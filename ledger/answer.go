package ledger

// Answer is what a member agent's program prints of a call for the plugin to read: `member-agent invoke --json`.
type Answer struct {
	// Answer of the contract.
	Answer []byte `json:"answer"`
	// Transaction is its ID, and Block the number of the block that holds it; empty for what was evaluated only.
	Transaction string `json:"transaction,omitempty"`
	Block       uint64 `json:"block,omitempty"`
	// Endorsers are who has endorsed it, as its block has it; only if they were asked for.
	Endorsers []Endorser `json:"endorsers,omitempty"`
}

// Endorser is a node that has endorsed a transaction.
type Endorser struct {
	Member string `json:"member"`
	Node   string `json:"node"`
}
