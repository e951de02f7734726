package fabric

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hanse-io/hanse/ledger"
)

// fate is what becomes of one attempt to submit.
type fate struct {
	// hangs is whether no orderer answers.
	hangs bool
	// rejected is what the peer answers instead of accepting it.
	rejected error
	// committed is when after this attempt the transaction is committed; 0 if it is lost.
	committed time.Duration
	// unanswered is what the peer answers a second later, where it was to say what became of it.
	unanswered error
}

// oneLedger is where attempts end; all peers say the same of it.
type oneLedger struct {
	fates     []fate // of the attempts; the last one is that of all after it
	mu        sync.Mutex
	at        []int // the peers of the attempts
	committed chan struct{}
}

func (l *oneLedger) submit(ctx context.Context, peer int) (commitStatus, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	is := l.fates[min(len(l.at), len(l.fates)-1)]
	l.at = append(l.at, peer)
	if is.hangs {
		l.mu.Unlock()
		<-ctx.Done()
		l.mu.Lock()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	if is.committed > 0 {
		time.AfterFunc(is.committed, func() { close(l.committed) })
	}
	return asked{l, is}, is.rejected
}

type asked struct {
	ledger *oneLedger
	fate   fate
}

func (a asked) StatusWithContext(ctx context.Context, _ ...grpc.CallOption) (*gateway.Status, error) {
	if a.fate.unanswered != nil {
		time.Sleep(time.Second)
		return nil, a.fate.unanswered
	}
	select {
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case <-a.ledger.committed:
		return &gateway.Status{Successful: true, TransactionID: "ab12"}, nil
	}
}

func TestSubmission(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "no orderers could successfully process transaction")
	invalid := status.Error(codes.Aborted, "received unsuccessful response from orderer: status=BAD_REQUEST")
	lost, hangs := fate{}, fate{hangs: true}
	for _, row := range []struct {
		why   string
		peers int
		fates []fate
		took  time.Duration
		at    []int
		err   string
	}{
		{"committed in time, it is submitted once", 1, []fate{{committed: 900 * time.Millisecond}}, 900 * time.Millisecond, []int{0}, ""},
		{"lost after an orderer has accepted it", 2, []fate{lost, {committed: 100 * time.Millisecond}}, 1100 * time.Millisecond, []int{0, 1}, ""},
		{"no orderer answers", 2, []fate{hangs, {committed: 100 * time.Millisecond}}, 1100 * time.Millisecond, []int{0, 1}, ""},
		{"the first one was not lost but slow", 1, []fate{{committed: 1500 * time.Millisecond}, lost}, 1500 * time.Millisecond, []int{0, 0}, ""},
		{"lost often: later attempts are further apart", 3, []fate{lost, lost, lost, lost, {committed: time.Millisecond}}, 5*time.Second + time.Millisecond, []int{0, 1, 2, 0, 1}, ""},
		{"no orderer is reached, until a leader is elected", 1, []fate{{rejected: unavailable}, {rejected: unavailable}, {committed: time.Millisecond}}, 2*time.Second + time.Millisecond, []int{0, 0, 0}, ""},
		{"what no orderer takes is not submitted again", 1, []fate{{rejected: invalid}}, 0, []int{0}, "BAD_REQUEST"},
		{"nor does that end the one before, which may be committed", 2, []fate{{committed: 4 * time.Second}, {rejected: invalid}}, 4 * time.Second, []int{0, 1, 0, 1}, ""},
		{"the peer ends while it is asked", 2, []fate{{unanswered: unavailable}, {committed: 100 * time.Millisecond}}, 1100 * time.Millisecond, []int{0, 1}, ""},
		{"nobody is reached in time", 1, []fate{{rejected: unavailable}}, time.Minute, make([]int, 12), "no orderers"},
		{"lost in time", 1, []fate{lost}, time.Minute, make([]int, 12), "look on the ledger before you send it again"},
	} {
		t.Run(row.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				l := &oneLedger{fates: row.fates, committed: make(chan struct{})}
				s := submission{id: "ab12", peers: row.peers, pace: newPace(time.Second), submit: l.submit}
				began := time.Now()
				known, attempts, err := s.run(ctx)
				if took := time.Since(began); took != row.took || attempts != len(row.at) || !slices.Equal(l.at, row.at) {
					t.Errorf("%d attempts in %v, at %v", attempts, took, l.at)
				}
				if (known != nil) != (row.err == "") {
					t.Errorf("status %v, error %v", known, err)
				}
				var failed *ledger.Failure
				if row.err != "" && (!errors.As(failure(err), &failed) || !strings.Contains(failed.Text, row.err)) {
					t.Errorf("%v", failed)
				}
			})
		})
	}
}
