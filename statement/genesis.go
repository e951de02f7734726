package statement

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxBlock is the size that a first block may have once it is decompressed, in bytes; an orderer takes one of a megabyte.
const maxBlock = 1 << 20

// NewGenesis is the unsigned statement of a channel's first block, compressed by Compress.
func NewGenesis(consortium, member, channel string, compressed []byte) v1alpha1.StatementSpec {
	return v1alpha1.StatementSpec{Consortium: consortium, Member: member, Kind: v1alpha1.StatementGenesis, Subject: channel, Payload: compressed}
}

// Genesis is the first block in a statement of that kind. What the block says is checked by the ledger's engine.
func Genesis(s *v1alpha1.StatementSpec) ([]byte, error) {
	if !isChannel(s.Subject) {
		return nil, fmt.Errorf("%w: the first block of the channel %.80q", ErrMalformed, s.Subject)
	}
	return Decompress(s.Payload)
}

// Compress compresses a first block for statements and pins. The same block gives the same bytes.
func Compress(block []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(block); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() > v1alpha1.MaxGenesisBytes {
		return nil, fmt.Errorf("%w: the first block has %d bytes compressed, which is more than %d: let fewer members take part", ErrTooLarge, out.Len(), v1alpha1.MaxGenesisBytes)
	}
	return out.Bytes(), nil
}

// Decompress decompresses a block from another Member.
func Decompress(compressed []byte) ([]byte, error) {
	if len(compressed) > v1alpha1.MaxGenesisBytes {
		return nil, fmt.Errorf("%w: a first block of %d bytes compressed, which is more than %d", ErrTooLarge, len(compressed), v1alpha1.MaxGenesisBytes)
	}
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("%w: the first block is not in gzip format: %w", ErrMalformed, err)
	}
	block, err := io.ReadAll(io.LimitReader(r, maxBlock+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: the first block cannot be decompressed: %w", ErrMalformed, err)
	case len(block) > maxBlock:
		return nil, fmt.Errorf("%w: a first block of more than %d bytes", ErrTooLarge, maxBlock)
	case len(block) == 0:
		return nil, fmt.Errorf("%w: the first block is empty", ErrMalformed)
	}
	return block, nil
}
