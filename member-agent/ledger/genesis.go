package ledger

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// maxBlock is the size that a first block may have once it is unpacked, in bytes; an orderer takes one of a megabyte.
const maxBlock = 1 << 20

// Pin is what a Member holds of a channel's first block.
type Pin struct {
	// Hash is the hex SHA-256 of the block's header.
	Hash string
	// Agreed is set once the signed records of all members concerned have the same hash. From then on new nodes join
	// without waiting.
	Agreed bool
}

// Pins keeps a Member's first blocks in its own cluster, one consortium's, so that they outlive the plan, the host and
// the agent.
type Pins interface {
	// All lists the pins by channel, also of channels that are not in the plan.
	All(ctx context.Context) (map[string]Pin, error)
	// Block is the packed block of a pinned channel.
	Block(ctx context.Context, channel string) ([]byte, error)
	// Keep pins a channel's packed block under its hash. It fails where another one is pinned.
	Keep(ctx context.Context, channel, hash string, packed []byte) error
	// Agree notes that everybody concerned has shown the pinned hash.
	Agree(ctx context.Context, channel string) error
	// Where tells a person where a channel's pin is, in a few words.
	Where(channel string) string
}

// pack compresses a block for plans, statuses and pins. The same block gives the same bytes.
func pack(block []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(block); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if packed.Len() > v1alpha1.MaxGenesisBytes {
		return nil, fmt.Errorf("the first block has %d bytes compressed, which is more than %d: let fewer members take part", packed.Len(), v1alpha1.MaxGenesisBytes)
	}
	return packed.Bytes(), nil
}

// unpack decompresses a block from another member, of maxBlock bytes at most.
func unpack(packed []byte) ([]byte, error) {
	if len(packed) > v1alpha1.MaxGenesisBytes {
		return nil, fmt.Errorf("%w: it has %d bytes compressed, which is more than %d", ledger.ErrGenesisRefused, len(packed), v1alpha1.MaxGenesisBytes)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not in gzip format: %s", ledger.ErrGenesisRefused, err.Error())
	}
	block, err := io.ReadAll(io.LimitReader(r, maxBlock+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: it cannot be decompressed: %s", ledger.ErrGenesisRefused, err.Error())
	case len(block) > maxBlock:
		return nil, fmt.Errorf("%w: it has more than %d bytes", ledger.ErrGenesisRefused, maxBlock)
	case len(block) == 0:
		return nil, fmt.Errorf("%w: it is empty", ledger.ErrGenesisRefused)
	}
	return block, nil
}
