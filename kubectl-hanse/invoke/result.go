package invoke

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/hanse-io/hanse/ledger"
)

// Invocation is what `kubectl hanse invoke -o json` prints.
type Invocation struct {
	Consortium string   `json:"consortium"`
	Channel    string   `json:"channel"`
	Contract   string   `json:"contract"`
	Function   string   `json:"function"`
	Arguments  []string `json:"arguments,omitempty"`
	// Query is whether it was evaluated only, and is on no ledger.
	Query bool `json:"query"`
	// Result is the contract's answer; what is no text is in ResultBase64 instead.
	Result       string `json:"result"`
	ResultBase64 string `json:"resultBase64,omitempty"`
	// Transaction is its ID, and Block the number of the block that holds it.
	Transaction string `json:"transaction,omitempty"`
	Block       int64  `json:"block,omitempty"`
	// Endorsers are those that its block has; with --endorsers.
	Endorsers []ledger.Endorser `json:"endorsers,omitempty"`
}

// result is what the agent's program has answered. Pure.
func (o options) result(call []string, answered []byte) (Invocation, error) {
	var answer ledger.Answer
	if err := json.Unmarshal(answered, &answer); err != nil {
		return Invocation{}, fmt.Errorf("the agent's answer is not of this plugin's version (%w): kubectl hanse version compares the two", err)
	}
	out := Invocation{
		Consortium: o.consortium, Channel: o.channel, Contract: o.contract, Function: call[0], Arguments: call[1:], Query: o.query,
		Transaction: answer.Transaction, Block: int64(answer.Block), Endorsers: answer.Endorsers,
	}
	if utf8.Valid(answer.Answer) {
		out.Result = string(answer.Answer)
		return out, nil
	}
	out.ResultBase64 = base64.StdEncoding.EncodeToString(answer.Answer)
	return out, nil
}
