package planner

import (
	"slices"

	"github.com/hanse-io/hanse/ledger"
)

// Settings are what a change of each field of a Consortium's spec does, Fabric's own fields included.
func (Planner) Settings() []ledger.Setting {
	const rollout = "As of resources: one node after the other, over all members. Before the first, every member in contact has to allow the image."
	return slices.Concat(ledger.Settings(), []ledger.Setting{
		{Path: "ledger.fabric.peerImage", Effect: ledger.EffectRestart, Cost: rollout, Rejected: "peerImage names another minor line"},
		{Path: "ledger.fabric.ordererImage", Effect: ledger.EffectRestart, Cost: rollout, Rejected: "ordererImage names another minor line"},
		{Path: "ledger.fabric.couchDBImage", Effect: ledger.EffectRestart, Cost: "As of peerImage, for peers with CouchDB, which restarts with its peer."},
		{Path: "ledger.fabric.acceptedLine", Effect: ledger.EffectLive, Cost: "It only lets images of that line be declared."},
		{Path: "ledger.fabric.capabilities", Effect: ledger.EffectFixed, Cost: "They are in each channel's first block.", Rejected: "capabilities are written into a channel's first block"},
		{Path: "ledger.fabric.applicationCapabilities", Effect: ledger.EffectFixed, Cost: "They are in each channel's first block.", Rejected: "applicationCapabilities are written into a channel's first block"},
	})
}
