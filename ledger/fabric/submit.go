package fabric

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// resubmitAfter is how long a transaction is waited for, by default, before it is submitted again: the second time is then
	// after gateways have noticed a line that is cut.
	resubmitAfter = 750 * time.Millisecond
	// steadyAttempts follow each other at the same distance. From then on it doubles, maxDoublings times.
	steadyAttempts, maxDoublings = 3, 3
)

// submission is one signed transaction on its way to the ledger.
//
// An orderer that accepts a transaction has not ordered it. One that is not the Raft leader has only put it on its stream to
// the leader, and where the connection under it is cut, the transaction is lost and nobody is told. So the same transaction
// is submitted again, through the next peer if there are several; each peer draws the orderer that it tries first. That
// is safe: the ledger takes an ID once. A second one gets into a block too, as DUPLICATE_TXID and without effect, and peers
// answer with what became of the first.
type submission struct {
	id string
	// submit hands the transaction to a peer, and returns once an orderer has accepted it.
	submit func(ctx context.Context, peer int) (commitStatus, error)
	peers  int
	pace   *pace

	outcomes chan outcome
	accepted atomic.Bool
	asking   []atomic.Bool // by peer
}

// commitStatus asks a peer what has become of a transaction; it answers when that is known.
type commitStatus interface {
	StatusWithContext(ctx context.Context, options ...grpc.CallOption) (*gateway.Status, error)
}

// outcome of an attempt: the transaction's status, or an error; neither where it was accepted and the peer is being asked
// already.
type outcome struct {
	status *gateway.Status
	err    error
}

// unknownError: a transaction was accepted, and nobody has said what became of it.
type unknownError struct {
	id  string
	err error
}

func (e *unknownError) Error() string { return fmt.Sprintf("commit status of %s: %v", e.id, e.err) }
func (e *unknownError) Unwrap() error { return e.err }

// run submits until it is known what has become of the transaction, or ctx ends. attempts is how often it was submitted.
func (s *submission) run(ctx context.Context) (known *gateway.Status, attempts int, err error) {
	attempting, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	s.outcomes, s.asking = make(chan outcome), make([]atomic.Bool, s.peers)
	for pending := 0; ; {
		peer := attempts % s.peers
		tasks.Go(func() { s.attempt(attempting, peer) })
		attempts++
		pending++
		for next := time.After(s.pause(attempts)); next != nil; {
			select {
			case <-next:
				if next = nil; !s.pace.again() {
					next = time.After(s.pause(attempts))
				}
			case o := <-s.outcomes:
				pending--
				if o.status != nil {
					return o.status, attempts, nil
				}
				if o.err != nil {
					err = o.err
				}
				if pending == 0 && !s.accepted.Load() && !isTransient(err) {
					return nil, attempts, err
				}
			case <-ctx.Done():
				return nil, attempts, s.unknown(cmp.Or(err, ctx.Err()))
			}
		}
	}
}

// attempt submits once, and asks the same peer what became of it unless that is being asked already.
func (s *submission) attempt(ctx context.Context, peer int) {
	var o outcome
	commit, err := s.submit(ctx, peer)
	if o.err = err; err == nil {
		s.accepted.Store(true)
		if s.asking[peer].CompareAndSwap(false, true) {
			o.status, o.err = commit.StatusWithContext(ctx)
			s.asking[peer].Store(false)
		}
	}
	select {
	case s.outcomes <- o:
	case <-ctx.Done():
	}
}

// unknown is the error where ctx has ended: err, and that the transaction may still be committed if an orderer has it.
func (s *submission) unknown(err error) error {
	if s.accepted.Load() {
		return &unknownError{s.id, err}
	}
	return err
}

// pause is how long to wait after so many attempts.
func (s *submission) pause(attempts int) time.Duration {
	return s.pace.late() << min(max(0, attempts-steadyAttempts), maxDoublings)
}

// isTransient is whether another attempt can succeed where one has failed.
func isTransient(err error) bool {
	switch status.Code(rootStatus(err)) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
		return true
	}
	return false
}
