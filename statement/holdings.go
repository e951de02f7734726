package statement

import (
	"encoding/json"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxChannels is how many channels one statement of Holdings lists.
const maxChannels = v1alpha1.MaxPlanChannels

// NewHoldings is the unsigned statement of a Member's first blocks.
func NewHoldings(consortium, member string, channels []v1alpha1.RecordChannel) (v1alpha1.StatementSpec, error) {
	if channels == nil {
		channels = []v1alpha1.RecordChannel{}
	}
	payload, err := json.Marshal(channels)
	return v1alpha1.StatementSpec{Consortium: consortium, Member: member, Kind: v1alpha1.StatementHoldings, Payload: payload}, err
}

// Holdings are the first blocks in a statement of that kind, checked: channels are unique and have the hex SHA-256 of a block.
func Holdings(s *v1alpha1.StatementSpec) ([]v1alpha1.RecordChannel, error) {
	if err := withoutSubject(s); err != nil {
		return nil, err
	}
	var channels []v1alpha1.RecordChannel
	if err := json.Unmarshal(s.Payload, &channels); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(channels) > maxChannels {
		return nil, fmt.Errorf("%w: %d channels", ErrTooLarge, len(channels))
	}
	seen := map[string]bool{}
	for _, c := range channels {
		switch {
		case !isChannel(c.Name):
			return nil, fmt.Errorf("%w: channel name %.80q", ErrMalformed, c.Name)
		case seen[c.Name]:
			return nil, fmt.Errorf("%w: channel %s twice", ErrMalformed, c.Name)
		case !v1alpha1.IsDigest(c.GenesisHash):
			return nil, fmt.Errorf("%w: channel %s has the first block %.80q", ErrMalformed, c.Name, c.GenesisHash)
		}
		seen[c.Name] = true
	}
	return channels, nil
}
