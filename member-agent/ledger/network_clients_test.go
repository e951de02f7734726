//go:build fabric

package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// clients has the first organization's application submit a transaction, and the second one's read it in every way that
// there is.
func clients(t *testing.T, ctx context.Context, network *fabrictest.Network, channel string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client, err := network.Client(ctx, network.Members[0])
	must(t, err)
	defer client.Close()
	digest := sha256.Sum256([]byte("bill-3"))
	put := ledger.Call{Channel: channel, Contract: "notary", Function: "Put", Arguments: []string{"bill-3", hex.EncodeToString(digest[:]), "sha256", ""}}
	done, err := client.Submit(ctx, put)
	must(t, err)
	reader, err := network.Reader(ctx, network.Members[1])
	must(t, err)
	defer reader.Close()

	var found *ledger.Transaction
	eventually(t, ctx, "the other organization's peer has the block", func() error {
		found, err = reader.Transaction(ctx, channel, done.Transaction)
		return err
	})
	checkBill(t, found, put, done)
	block, err := reader.Block(ctx, channel, done.Block)
	must(t, err)
	again, err := reader.BlockByHash(ctx, channel, block.Hash)
	must(t, err)
	if again.Number != done.Block || again.Transactions[found.Index].ID != done.Transaction {
		t.Errorf("by its hash, block %d is found as %d", done.Block, again.Number)
	}
	for _, err := range []error{
		second(reader.Transaction(ctx, channel, "ab12")), second(reader.Block(ctx, channel, 1<<40)), second(reader.BlockByHash(ctx, channel, digest[:])),
	} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("what the ledger does not have: %v", err)
		}
	}
	whole(t, ctx, reader, channel, done)
	announced(t, ctx, client, channel, done)
}

func second[T any](_ T, err error) error { return err }

// checkBill checks everything that a block says of a transaction.
func checkBill(t *testing.T, found *ledger.Transaction, put ledger.Call, done ledger.Result) {
	t.Helper()
	var by []string
	for _, e := range found.Endorsers {
		if e.Name != "peer0-"+e.Member {
			t.Errorf("an endorser of %s is called %s", e.Member, e.Name)
		}
		by = append(by, e.Member)
	}
	slices.Sort(by)
	if len(slices.Compact(by)) < 2 {
		t.Errorf("a transaction that needs a majority of three was endorsed by %v", by)
	}
	var arguments []string
	for _, argument := range found.Arguments {
		arguments = append(arguments, string(argument))
	}
	if !found.Valid || found.Code != "VALID" || found.Problem != "" || found.Block != done.Block || found.Type != ledger.TypeCall ||
		found.Contract != "notary" || found.Function != "Put" || !slices.Equal(arguments, put.Arguments) || time.Since(found.Time) > time.Minute {
		t.Errorf("the transaction reads as %+v", found)
	}
	if found.Creator.Member != "org1" || found.Creator.Name != "user-org1" || !bytes.Equal(found.Answer, done.Answer) {
		t.Errorf("made by %+v, answered %q, not %q", found.Creator, found.Answer, done.Answer)
	}
	if !slices.ContainsFunc(found.Writes, func(w ledger.Write) bool { return w.Contract == "notary" && len(w.Value) > 0 }) {
		t.Errorf("it writes %+v", found.Writes)
	}
}

// whole reads all blocks as a stream.
func whole(t *testing.T, ctx context.Context, reader ledger.Reader, channel string, done ledger.Result) {
	t.Helper()
	height, err := reader.Height(ctx, channel)
	if err != nil || height <= done.Block {
		t.Errorf("the height is %d, %v", height, err)
	}
	count := uint64(0)
	for block, err := range reader.Blocks(ctx, channel, 0) {
		must(t, err)
		for _, transaction := range block.Transactions {
			if transaction.Problem != "" || !transaction.Valid {
				t.Errorf("block %d has %+v", block.Number, transaction)
			}
		}
		if block.Number == 0 && block.Transactions[0].Type != ledger.TypeConfiguration {
			t.Errorf("the first block begins with %+v", block.Transactions[0])
		}
		if count++; block.Number == done.Block {
			break
		}
	}
	if count != done.Block+1 {
		t.Errorf("%d blocks up to %d", count, done.Block)
	}
	limited, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	for _, err := range reader.Blocks(limited, channel, height) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a stream without an end ended with %v", err)
		}
	}
}

// announced reads the transaction's event, if the contract has one, from its block on.
func announced(t *testing.T, ctx context.Context, client ledger.Client, channel string, done ledger.Result) {
	t.Helper()
	for event, err := range client.Events(ctx, channel, "notary", &ledger.Position{Block: done.Block}) {
		must(t, err)
		if event.Transaction != done.Transaction || event.Block != done.Block || event.Contract != "notary" {
			t.Errorf("the event is %+v", event)
		}
		break
	}
}
