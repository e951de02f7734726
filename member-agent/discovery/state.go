package discovery

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// maxEnvelope is the size of one envelope on the wire: JSON writes bytes as base64, and newlines as two characters.
	maxEnvelope = 2 * v1alpha1.MaxRecordBytes
	// maxState is the size of a whole exchange. memberlist itself gives up at 20 MiB.
	maxState = 16 << 20
)

var errState = errors.New("malformed state")

// appendRecord adds one envelope to a state: its JSON, with its length in four bytes.
func appendRecord(state []byte, env *v1alpha1.SignedRecord) ([]byte, error) {
	text, err := json.Marshal(env)
	if err != nil {
		return state, err
	}
	state = binary.BigEndian.AppendUint32(state, uint32(len(text)))
	return append(state, text...), nil
}

// parseState reads the envelopes of a state, at most limit. What it could read before an error counts.
func parseState(state []byte, limit int) ([]v1alpha1.SignedRecord, error) {
	var records []v1alpha1.SignedRecord
	if len(state) > maxState {
		return nil, fmt.Errorf("%w: %d bytes", errState, len(state))
	}
	for len(state) > 0 {
		if len(records) == limit {
			return records, fmt.Errorf("%w: more than %d records", errState, limit)
		}
		if len(state) < 4 {
			return records, fmt.Errorf("%w: cut short", errState)
		}
		n := binary.BigEndian.Uint32(state)
		state = state[4:]
		if n > maxEnvelope || int(n) > len(state) {
			return records, fmt.Errorf("%w: a record of %d bytes", errState, n)
		}
		var env v1alpha1.SignedRecord
		if err := json.Unmarshal(state[:n], &env); err != nil {
			return records, fmt.Errorf("%w: %w", errState, err)
		}
		records = append(records, env)
		state = state[n:]
	}
	return records, nil
}
