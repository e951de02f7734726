package ledger

import (
	"context"
	"iter"
	"net"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Access is where and as whom an ordinary client connects: an application's, an explorer's or a person's.
type Access struct {
	// Address of one of the organization's own nodes, host:port. The node proves the host by its certificate.
	Address string
	// Others are addresses of the organization's further nodes, by which a transaction is submitted again if the first one's
	// answer does not come.
	Others []string
	// Roots that the nodes' certificates have to follow from, in PEM.
	Roots []byte
	// Identity under which the client acts.
	Identity KeyPair
	// Organization is the name that the identity's organization has on the ledger (Fabric: its MSP ID).
	Organization string
	// Members are the names of Members by their names on the ledger, for what is read. A name that is not here is given as it is
	// on the ledger, without what an engine adds to it.
	Members map[string]string
	// Dial connects to an Address. A net.Dialer when nil.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Connector opens ordinary clients.
type Connector interface {
	// Access is how the applications of the plan's Member connect, with the identity that is made for them.
	Access(ctx context.Context, plan *v1alpha1.MemberPlan, keys Keys) (Access, error)
	// Client and Reader connect as they are first used, and again after the connection was lost.
	Client(access Access) (Client, error)
	Reader(access Access) (Reader, error)
}

// Call is a call of a contract.
type Call struct {
	Channel, Contract, Function string
	Arguments                   []string
	// Private data goes to the endorsers only and is in no block.
	Private map[string][]byte
	// Endorsers are the organizations, by their names on the ledger, whose nodes are to endorse it. When empty, as many as the
	// contract's policy wants.
	Endorsers []string
}

// Result of a transaction that was committed.
type Result struct {
	// Answer of the contract.
	Answer []byte
	// Transaction is its ID, and Block the number of the block that holds it.
	Transaction string
	Block       uint64
	// Resubmitted is how often it was submitted again, because it was not known in time what had become of it.
	Resubmitted int
}

// Position is where a stream of events begins.
type Position struct {
	// Block is the first one whose events are given.
	Block uint64
	// Transaction of that block whose events, and those before them, are left out; none if it is empty.
	Transaction string
}

// Event is what a contract has a committed transaction announce.
type Event struct {
	Contract, Name string
	Payload        []byte
	Transaction    string
	Block          uint64
}

// Client calls contracts. Its errors are Failures where a call was made.
type Client interface {
	// Submit has a transaction endorsed, ordered and committed. One that is lost on the way is submitted again until ctx ends;
	// it is committed once.
	Submit(ctx context.Context, call Call) (Result, error)
	// Evaluate asks the contract at the organization's own node and writes nothing.
	Evaluate(ctx context.Context, call Call) (answer []byte, err error)
	// Events are a contract's, in the ledger's order, from a position on, or from the next block if it is nil. The stream goes on
	// until ctx ends or the connection is lost; its last element then has the error. Who goes on later gives the last event's
	// block and transaction as the position.
	Events(ctx context.Context, channel, contract string, from *Position) iter.Seq2[Event, error]
	// Close ends the connection.
	Close() error
}

// FailureKind is the class of a transaction's failure, by which callers decide what to do next.
type FailureKind int

// Kinds of failures.
const (
	// FailedOtherwise: none of the below.
	FailedOtherwise FailureKind = iota
	// FailedByContract: the contract itself answered with an error.
	FailedByContract
	// FailedToBeEndorsed: not enough organizations have endorsed it for the contract's policy. Nothing was written.
	FailedToBeEndorsed
	// FailedToCommit: it was ordered, and found invalid, because another transaction came first, say. Nothing was written.
	FailedToCommit
	// FailedToReach: a node that it takes did not answer in time. What had been sent already may still be committed.
	FailedToReach
)

// Failure is why a transaction or a query failed.
type Failure struct {
	Kind FailureKind
	// Text says it in a sentence, with how to mend it where that is known.
	Text string
	// Err is the error that came from the engine's library.
	Err error
}

func (f *Failure) Error() string { return f.Text }

// Unwrap is the error that came from the engine's library.
func (f *Failure) Unwrap() error { return f.Err }
