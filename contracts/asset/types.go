package asset

import "github.com/hanse-io/hanse/contracts/origin"

// Type is a kind of asset that its issuer has defined.
type Type struct {
	ID string `json:"id"`
	// Issuer is the MSP id of the organization that defined the type, the only one that may issue it.
	Issuer string `json:"issuer"`
	// Unit says what one unit is, for people: "EUR cent", "kWh".
	Unit string `json:"unit"`
	// Supply is the sum of all that was issued, a decimal string.
	Supply string `json:"supply"`
	// By is the client that defined the type.
	By origin.Origin `json:"by"`
}

// Account holds assets for one client of one organization.
type Account struct {
	ID string `json:"id"`
	// Owner is the only party that may transfer out of the account.
	Owner origin.Party `json:"owner"`
	// By is the opening transaction.
	By origin.Origin `json:"by"`
}

// Balance is what an account holds of one type.
type Balance struct {
	Account string `json:"account"`
	Type    string `json:"type"`
	// Amount is a decimal string of the smallest unit.
	Amount string `json:"amount"`
	// Entries is the number of movements so far; History numbers them from 1.
	Entries int `json:"entries"`
}

// The kinds of movement.
const (
	// KindIssue is an amount that came into being.
	KindIssue = "issue"
	// KindIn is an amount received from another account.
	KindIn = "in"
	// KindOut is an amount sent to another account.
	KindOut = "out"
)

// Entry is one movement on an account, seen from that account.
type Entry struct {
	Number int    `json:"number"`
	Kind   string `json:"kind"`
	Amount string `json:"amount"`
	// Counterparty is the other account; empty for an issue.
	Counterparty string `json:"counterparty"`
	// Balance is the account's balance after the movement.
	Balance string        `json:"balance"`
	By      origin.Origin `json:"by"`
}

// Entries is a page of an account's history, oldest first.
type Entries struct {
	Entries []Entry `json:"entries"`
	// Next is the entry to go on from; 0 says that this was the last page.
	Next int `json:"next"`
}

// Movement is the answer to an issue or a transfer, and the payload of its event.
type Movement struct {
	Type string `json:"type"`
	// From is empty for an issue.
	From   string        `json:"from"`
	To     string        `json:"to"`
	Amount string        `json:"amount"`
	By     origin.Origin `json:"by"`
}
