package fabric

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/ledger"
)

// reader reads blocks by the peer's own query contract, and streams them by its deliver service.
type reader struct{ *connected }

var _ ledger.Reader = (*reader)(nil)

// Reader opens a reader.
func (d *Driver) Reader(access ledger.Access) (ledger.Reader, error) {
	c, err := d.connect(access)
	if err != nil {
		return nil, err
	}
	return &reader{c}, nil
}

// query asks the peer's query contract.
func (r *reader) query(ctx context.Context, channel, function string, arguments ...[]byte) ([]byte, error) {
	answer, err := r.gateway.GetNetwork(channel).GetContract("qscc").EvaluateWithContext(ctx, function,
		gateway.WithBytesArguments(append([][]byte{[]byte(channel)}, arguments...)...),
		gateway.WithEndorsingOrganizations(r.access.Organization))
	if err != nil {
		if isNotFound(err) {
			return nil, fmt.Errorf("%w: %w", ledger.ErrNotFound, withDetails(err))
		}
		return nil, failure(err)
	}
	return answer, nil
}

// isNotFound is whether the query contract says that there is no such block or transaction.
func isNotFound(err error) bool {
	text := withDetails(err).Error()
	// Of a hash that it does not have, the peer says so with the hash's bytes, which are no text, and so cannot send it.
	if strings.Contains(text, "failed to marshal response: string field contains invalid UTF-8") {
		return true
	}
	return strings.Contains(text, "no such block number") || strings.Contains(text, "no such block hash") ||
		strings.Contains(text, "no such transaction ID") || strings.Contains(text, "entry not found in index")
}

// Height is the number of blocks of a channel.
func (r *reader) Height(ctx context.Context, channel string) (uint64, error) {
	raw, err := r.query(ctx, channel, "GetChainInfo")
	if err != nil {
		return 0, fmt.Errorf("read the height of channel %s: %w", channel, err)
	}
	var info common.BlockchainInfo
	if err := proto.Unmarshal(raw, &info); err != nil {
		return 0, fmt.Errorf("read the height of channel %s: %w", channel, err)
	}
	return info.GetHeight(), nil
}

// Block is the one with a number.
func (r *reader) Block(ctx context.Context, channel string, number uint64) (*ledger.Block, error) {
	block, err := r.block(ctx, channel, "GetBlockByNumber", []byte(strconv.FormatUint(number, 10)))
	if err == nil && block.Number != number {
		err = fmt.Errorf("%w: it has the number %d", ledger.ErrMalformed, block.Number)
	}
	if err != nil {
		return nil, fmt.Errorf("read block %d of channel %s: %w", number, channel, err)
	}
	return block, nil
}

// BlockByHash is the one with a hash.
func (r *reader) BlockByHash(ctx context.Context, channel string, hash []byte) (*ledger.Block, error) {
	block, err := r.block(ctx, channel, "GetBlockByHash", hash)
	if err == nil && !bytes.Equal(block.Hash, hash) {
		err = fmt.Errorf("%w: it has the hash %x", ledger.ErrMalformed, block.Hash)
	}
	if err != nil {
		return nil, fmt.Errorf("read the block with the hash %.32x of channel %s: %w", hash, channel, err)
	}
	return block, nil
}

// Transaction is the one with an ID, out of its block: only that says where it is.
func (r *reader) Transaction(ctx context.Context, channel, id string) (*ledger.Transaction, error) {
	block, err := r.block(ctx, channel, "GetBlockByTxID", []byte(id))
	if err != nil {
		return nil, fmt.Errorf("read transaction %.100s of channel %s: %w", id, channel, err)
	}
	for i := range block.Transactions {
		if block.Transactions[i].ID == id {
			return &block.Transactions[i], nil
		}
	}
	return nil, fmt.Errorf("read transaction %.100s of channel %s: %w: it is not in the block that the node gives for it, %d", id, channel, ledger.ErrMalformed, block.Number)
}

func (r *reader) block(ctx context.Context, channel, function string, argument []byte) (*ledger.Block, error) {
	raw, err := r.query(ctx, channel, function, argument)
	if err != nil {
		return nil, err
	}
	block, err := unmarshalBlock(raw)
	if err != nil {
		return nil, err
	}
	return readBlock(block, r.member)
}

// Blocks are all from a height on.
func (r *reader) Blocks(ctx context.Context, channel string, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		blocks, err := r.gateway.GetNetwork(channel).BlockEvents(ctx, gateway.WithStartBlock(from))
		if err != nil {
			cancel()
			yield(nil, fmt.Errorf("read the blocks of channel %s: %w", channel, failure(err)))
			return
		}
		defer drain(cancel, blocks)
		next, previous := from, []byte(nil)
		for raw := range blocks {
			block, err := readBlock(raw, r.member)
			switch {
			case err != nil:
			case block.Number != next:
				err = fmt.Errorf("%w: it has the number %d, where %d comes next", ledger.ErrMalformed, block.Number, next)
			case previous != nil && !bytes.Equal(previous, block.PreviousHash):
				err = fmt.Errorf("%w: it follows another block than the one before it", ledger.ErrMalformed)
			}
			if err != nil {
				yield(nil, fmt.Errorf("block %d of channel %s: %w", next, channel, err))
				return
			}
			next, previous = next+1, block.Hash
			if !yield(block, nil) {
				return
			}
		}
		yield(nil, streamEnded(ctx, "blocks of channel "+channel))
	}
}

// drain ends a stream. The library sends on its channel without regard to whether somebody still reads.
func drain[T any](cancel context.CancelFunc, stream <-chan T) {
	cancel()
	for range stream {
	}
}

// streamEnded is why a stream that the library has closed, without saying why, ended.
func streamEnded(ctx context.Context, what string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return &ledger.Failure{
		Kind: ledger.FailedToReach,
		Text: "the stream of " + what + " ended: the node has closed it, or does not let this identity read it; begin again where it ended",
		Err:  errors.New("stream closed"),
	}
}
