package ledger

// Effect is what a change of a setting does to nodes that run.
type Effect string

const (
	// EffectLive takes effect without a restart of any node.
	EffectLive Effect = "Live"
	// EffectRestart restarts the nodes concerned, one after the other.
	EffectRestart Effect = "Restart"
	// EffectGrow can be raised and not lowered.
	EffectGrow Effect = "Grow"
	// EffectAdded holds for nodes that are added from then on. Those that run keep what they have.
	EffectAdded Effect = "Added"
	// EffectFixed is rejected by the API server.
	EffectFixed Effect = "Fixed"
)

// Setting is a field of a Consortium's spec, and what a change of it does. docs/settings.md is generated from it and the CRD.
type Setting struct {
	// Path of the field below spec, with [] after a list: "members[].peers". Below nodes it is for spec.nodes and for
	// spec.members[].nodes. It stands for all fields below it.
	Path   string
	Effect Effect
	// Cost is a sentence on what a change costs, or why there is none.
	Cost string
	// Rejected is how the message begins with which the API server rejects changes of the field, or some of them; empty if
	// it rejects none.
	Rejected string
}

// Settings are those that every ledger has.
func Settings() []Setting {
	return []Setting{
		{"ledger.type", EffectFixed, "A consortium runs on the ledger that it began with.", "the ledger type of a running consortium cannot change"},
		{"members[].name", EffectFixed, "Who takes part is decided by the members' own consent.", "who takes part in a running consortium"},
		{"members[].role", EffectFixed, "The Leader has made the channels' first blocks.", "who takes part in a running consortium"},
		{"members[].peers", EffectGrow, "New peers join the channels and fetch their ledgers. The member's other peers restart, one after the other, since they are to keep apart from the new ones.", "peers can be added but not taken away"},
		{"members[].orderers", EffectFixed, "Each channel's consenters are written into its configuration.", "the number of orderers of a running consortium"},
		{"nodes.storage.size", EffectGrow, "The claims are enlarged in place; no node restarts. Where the StorageClass does not allow it the node runs on as it is, with VolumeNotExpandable, until the class does or the old size is declared again.", "storage.size is less than a member's volumes have"},
		{"nodes.storage.className", EffectAdded, "A volume stays in the StorageClass that it was made in.", ""},
		{"nodes.storage.reclaimPolicy", EffectAdded, "Retain holds for running nodes too, at once and without a restart; Delete for new ones only, so that no change of a plan gives up a ledger.", ""},
		{"nodes.peerResources", EffectRestart, restart, ""},
		{"nodes.ordererResources", EffectRestart, restart, ""},
		{"nodes.peerLogLevel", EffectRestart, restart, ""},
		{"nodes.ordererLogLevel", EffectRestart, restart, ""},
		{"nodes.stateDatabase", EffectFixed, "The state would have to be built anew from the blocks.", "the state database of running peers cannot change"},
		{"nodes.extraSANs", EffectRestart, "The nodes' TLS certificates are issued again, with the same keys. Each member's nodes restart one after the other; members do not wait for each other, so change one member's after another's where a majority of the orderers has to stay.", ""},
		{"progressDeadlineSeconds", EffectLive, "It counts for the change that is under way, too.", ""},
	}
}

// restart is what a change costs that is rolled out.
const restart = "One node after the other restarts, over all members, each once the one before is ready; a majority of the orderers stays. A node that does not become ready in time goes back to what it had, and the others keep it."
