package discovery

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

const (
	// maxEnvelope is the size of one statement on the wire: JSON writes bytes as base64, and newlines as two characters.
	maxEnvelope = 2 * v1alpha1.MaxStatementBytes
	// maxState is the size of a whole exchange. memberlist itself gives up at 20 MiB.
	maxState = 16 << 20
)

var errState = errors.New("malformed state")

// What agents send to each other is a state: frames of one byte that says what it is, the length in four bytes, and JSON.
const (
	// frameStatement is a statement.
	frameStatement = 'S'
	// frameDigests is an inventory: what the sender holds.
	frameDigests = 'D'
	// frameWants asks for statements.
	frameWants = 'W'
)

// inventory is what an agent holds. The sender is what it says about itself, which nothing proves: whoever is named is sent
// questions, or statements, that it may not have asked for, and no more.
type inventory struct {
	From string  `json:"from"`
	Have []entry `json:"have"`
}

// entry is one statement in an inventory.
type entry struct {
	Member   string                 `json:"member"`
	Kind     v1alpha1.StatementKind `json:"kind"`
	Sequence int64                  `json:"sequence"`
	Digest   string                 `json:"digest"`
}

// question asks for the newest statement of each key.
type question struct {
	From string `json:"from"`
	Want []want `json:"want"`
}

type want struct {
	Member  string                 `json:"member"`
	Kind    v1alpha1.StatementKind `json:"kind"`
	Subject string                 `json:"subject,omitempty"`
}

func (w want) key() statement.Key {
	return statement.Key{Member: w.Member, Kind: w.Kind, Subject: w.Subject}
}

// appendFrame adds a frame to a state.
func appendFrame(state []byte, kind byte, content any) ([]byte, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return state, err
	}
	state = binary.BigEndian.AppendUint32(append(state, kind), uint32(len(text)))
	return append(state, text...), nil
}

// received is a parsed state.
type received struct {
	statements  []v1alpha1.StatementSpec
	inventories []inventory
	questions   []question
}

// parseState reads the frames of a state, at most limit. What it could read before an error counts.
func parseState(state []byte, limit int) (received, error) {
	var all received
	if len(state) > maxState {
		return all, fmt.Errorf("%w: %d bytes", errState, len(state))
	}
	for frames := 0; len(state) > 0; frames++ {
		if frames == limit {
			return all, fmt.Errorf("%w: more than %d frames", errState, limit)
		}
		if len(state) < 5 {
			return all, fmt.Errorf("%w: cut short", errState)
		}
		kind, n := state[0], binary.BigEndian.Uint32(state[1:])
		state = state[5:]
		if n > maxEnvelope || int(n) > len(state) {
			return all, fmt.Errorf("%w: a frame of %d bytes", errState, n)
		}
		if err := all.add(kind, state[:n], limit); err != nil {
			return all, fmt.Errorf("%w: %w", errState, err)
		}
		state = state[n:]
	}
	return all, nil
}

// add parses one frame. Its lists are limited as the number of frames is.
func (r *received) add(kind byte, text []byte, limit int) error {
	switch kind {
	case frameStatement:
		var s v1alpha1.StatementSpec
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		r.statements = append(r.statements, s)
	case frameDigests:
		var i inventory
		if err := json.Unmarshal(text, &i); err != nil {
			return err
		}
		i.Have = i.Have[:min(len(i.Have), limit)]
		r.inventories = append(r.inventories, i)
	case frameWants:
		var q question
		if err := json.Unmarshal(text, &q); err != nil {
			return err
		}
		q.Want = q.Want[:min(len(q.Want), limit)]
		r.questions = append(r.questions, q)
	default:
		return fmt.Errorf("a frame of kind %d", kind)
	}
	return nil
}
