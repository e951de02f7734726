package baseline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

const (
	// failoverRate is how many transactions are due a second while lines are cut: so few that what they wait for is never
	// the CPU.
	failoverRate = 30
	// failoverBatch is how long an orderer waits for a block to fill. Without a cut, it is what two commits lie apart.
	failoverBatch = 100 * time.Millisecond
	// cutFor is how long a line stays cut, and settleFor how long all lines are whole before the next cut.
	cutFor, settleFor = 12 * time.Second, 12 * time.Second
	// steadyFor is how long before a cut is looked at for how it is without one.
	steadyFor = 5 * time.Second
	// putLimit is when a transaction counts as failed.
	putLimit = time.Minute
)

// Failover is what one cut has done to the transactions that were due from then until the line was whole again, or that
// were on their way. Times in seconds.
type Failover struct {
	// Gap is the longest time between one commit and the next, and Steady the same in the seconds before the cut.
	Gap, Steady float64
	// Slowest transaction, from when it was due.
	Slowest float64
	// Committed and Failed transactions, as who has submitted them sees it, and Resubmitted those of the committed ones that
	// the client has submitted more than once.
	Committed, Failed, Resubmitted int
}

// sample is one transaction.
type sample struct {
	due, done   time.Time
	resubmitted bool
	err         error
}

// failover keeps a steady load up and cuts one line after another, always the one that is used first between two
// organizations that have two. Between each two, lines are cut in turn.
func (o Order) failover(ctx context.Context, network *fabrictest.Network, r *Result) error {
	submitters, closeAll, err := submitters(ctx, network)
	if err != nil {
		return err
	}
	defer closeAll()
	loading, stop := context.WithCancel(ctx)
	defer stop()
	finished := make(chan []sample, 1)
	go func() { finished <- steadily(loading, submitters) }()
	cuts := make([][2]time.Time, 0, o.Cuts)
	for n := range o.Cuts {
		if err := sleep(ctx, settleFor); err != nil {
			return err
		}
		from, to := n%len(organizations)+1, (n+1)%len(organizations)+1
		at := time.Now()
		if err := cut(ctx, from, to); err != nil {
			return err
		}
		if err := sleep(ctx, cutFor); err != nil {
			return err
		}
		lost, err := restore(ctx)
		if err != nil {
			return err
		}
		if lost == 0 {
			return fmt.Errorf("the line that was cut between %s and %s carried nothing: such a cut says nothing",
				organizations[from-1], organizations[to-1])
		}
		cuts = append(cuts, [2]time.Time{at, time.Now()})
	}
	if err := sleep(ctx, settleFor); err != nil {
		return err
	}
	stop()
	samples := <-finished
	for _, c := range cuts {
		r.Failovers = append(r.Failovers, failoverOf(samples, c[0], c[1]))
	}
	for _, s := range samples {
		if s.err != nil {
			r.Failed = append(r.Failed, s.err.Error())
		}
	}
	return nil
}

// submitters are a client of each organization.
func submitters(ctx context.Context, network *fabrictest.Network) (all []ledger.Client, closeAll func(), err error) {
	closeAll = func() {
		for _, client := range all {
			_ = client.Close()
		}
	}
	for _, member := range network.Members {
		client, err := network.Client(ctx, member)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		all = append(all, client)
	}
	return all, closeAll, nil
}

// steadily submits transactions at failoverRate until ctx ends, whether those before are done or not, and waits for all.
func steadily(ctx context.Context, submitters []ledger.Client) []sample {
	var tasks sync.WaitGroup
	var mu sync.Mutex
	var samples []sample
	began := time.Now()
	for n := 0; ; n++ {
		due := began.Add(time.Duration(n) * time.Second / failoverRate)
		if sleep(ctx, time.Until(due)) != nil {
			break
		}
		tasks.Go(func() {
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), putLimit)
			defer cancel()
			again, err := put(limited, submitters[n%len(submitters)], fmt.Sprintf("failover-%d", n))
			mu.Lock()
			defer mu.Unlock()
			samples = append(samples, sample{due, time.Now(), again > 0, err})
		})
	}
	tasks.Wait()
	return samples
}

// failoverOf looks at the transactions around a cut.
func failoverOf(samples []sample, cutAt, wholeAt time.Time) Failover {
	var f Failover
	var commits []time.Time
	for _, s := range samples {
		if s.err == nil {
			commits = append(commits, s.done)
		}
		if s.done.Before(cutAt) || s.due.After(wholeAt) {
			continue
		}
		if s.err != nil {
			f.Failed++
			continue
		}
		f.Committed++
		if s.resubmitted {
			f.Resubmitted++
		}
		f.Slowest = max(f.Slowest, s.done.Sub(s.due).Seconds())
	}
	f.Gap = longestGap(commits, cutAt, wholeAt)
	f.Steady = longestGap(commits, cutAt.Add(-steadyFor), cutAt)
	return f
}

// longestGap is the longest time between one commit and the next, in seconds, as far as it reaches into the time from one
// moment to another.
func longestGap(commits []time.Time, from, to time.Time) float64 {
	commits = slices.SortedFunc(slices.Values(commits), time.Time.Compare)
	var longest time.Duration
	for i := 1; i < len(commits); i++ {
		if commits[i].After(from) && commits[i-1].Before(to) {
			longest = max(longest, commits[i].Sub(commits[i-1]))
		}
	}
	return longest.Seconds()
}
