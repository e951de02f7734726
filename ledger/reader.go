package ledger

import (
	"context"
	"errors"
	"iter"
	"time"
)

// ErrNotFound is the error of a block or transaction that the ledger does not have, or not yet.
var ErrNotFound = errors.New("the ledger does not have it")

// ErrMalformed is the error of a block that cannot be read, or is not the one that was asked for.
var ErrMalformed = errors.New("the block is malformed")

// Reader reads a ledger at one of the organization's own nodes. What it returns was checked to be the block that was asked for:
// number, hash, and the hash of its data; that the node itself is honest is not its matter.
type Reader interface {
	// Height is the number of blocks of a channel.
	Height(ctx context.Context, channel string) (uint64, error)
	// Block is the one with a number, from 0.
	Block(ctx context.Context, channel string, number uint64) (*Block, error)
	// BlockByHash is the one with a hash.
	BlockByHash(ctx context.Context, channel string, hash []byte) (*Block, error)
	// Transaction is the one with an ID, valid or not.
	Transaction(ctx context.Context, channel, id string) (*Transaction, error)
	// Blocks are all from a height on, each of which names the hash of the one before, and those to come until ctx ends or the
	// connection is lost; the last element then has the error.
	Blocks(ctx context.Context, channel string, from uint64) iter.Seq2[*Block, error]
	// Close ends the connection.
	Close() error
}

// Block of a ledger.
type Block struct {
	Number uint64
	// Hash by which the next block names this one, PreviousHash of the one before, and DataHash of the transactions.
	Hash, PreviousHash, DataHash []byte
	// Time is the latest of its transactions', each by the clock of who made it; zero if none has one.
	Time         time.Time
	Transactions []Transaction
}

// TransactionType is what a transaction does.
type TransactionType string

// Types of transactions.
const (
	// TypeCall calls a contract.
	TypeCall TransactionType = "Call"
	// TypeConfiguration changes a channel's rules or members.
	TypeConfiguration TransactionType = "Configuration"
	// TypeOther is anything else, and what cannot be read.
	TypeOther TransactionType = "Other"
)

// Transaction as its block has it. Blocks hold invalid ones too, which have no effect, even such as are no transactions at
// all: of these the fields are set that could be read, and Problem.
type Transaction struct {
	ID string
	// Block and Index say where it is.
	Block uint64
	Index int
	Type  TransactionType
	// Time by the clock of its creator.
	Time    time.Time
	Creator Signer
	// Valid is whether it has taken effect, and Code what the ledger says of it (Fabric: the validation code).
	Valid bool
	Code  string
	// Contract and Function that it calls, with the Arguments. These are bytes: contracts give them their meaning.
	Contract, Function string
	Arguments          [][]byte
	// Answer of the contract, Event that it announces, and Writes that take effect if the transaction is valid.
	Answer []byte
	Event  *Event
	Writes []Write
	// Endorsers are who signed the outcome, in the order of their signatures.
	Endorsers []Signer
	// Problem says what of it cannot be read; empty if all of it can.
	Problem string
}

// Signer is who signed something.
type Signer struct {
	// Member that the signer belongs to.
	Member string
	// Name of the signer within it, and Subject of its certificate where it has one.
	Name, Subject string
}

// Write is one change of a contract's state.
type Write struct {
	// Contract whose state it is.
	Contract string
	// Key and Value of public state.
	Key   string
	Value []byte
	// Collection of private data, of which a block has SHA-256 sums only; empty for public state.
	Collection         string
	KeyHash, ValueHash []byte
	Deleted            bool
}
