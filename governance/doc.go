// Package governance decides what is in force in a Consortium from what its Members have signed: the charter, the proposals
// and votes that followed, and the order that the Members agreed on for them. The same functions answer for a Member's agent,
// for a portal and for an auditor with nothing but a file.
//
// A change takes two steps. The organizations consent to it by votes, as many as the charter's rule for this kind of change
// asks for. Then their agents agree that it is the next entry of the log, by ballots that need no referee (see Ballots): two
// entries cannot be accepted at one position unless more members lie than the charter's quorum allows for.
//
// It is pure: no clock of its own, no network, no cluster. It must know nothing of how statements travel, or of what a ledger
// technology does with the outcome.
package governance
