package baseline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanse-io/hanse/hack/bench/figures"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// put is one transaction; two organizations endorse it.
func put(ctx context.Context, client ledger.Client, id string) (resubmitted int, err error) {
	digest := sha256.Sum256([]byte(id))
	result, err := client.Submit(ctx, ledger.Call{
		Channel: channel, Contract: notary, Function: "Put", Arguments: []string{id, hex.EncodeToString(digest[:]), "sha256", ""},
	})
	return result.Resubmitted, err
}

// first commits the first transaction, trying again while the peers have not found each other.
func first(ctx context.Context, network *fabrictest.Network) error {
	client, err := network.Client(ctx, network.Members[0])
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err = put(ctx, client, "first"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// gain is by how much twice the clients have to raise the rate to count.
const gain = 1.05

// load adds clients until, twice in a row, twice as many do not raise the rate of committed transactions, and then measures
// latency at rates below it.
func (o Order) load(ctx context.Context, network *fabrictest.Network, r *Result) error {
	submitters, closeAll, err := submitters(ctx, network)
	if err != nil {
		return err
	}
	defer closeAll()
	for clients, vain := 30, 0; vain < 2; clients *= 2 {
		perSecond, cpu, err := saturate(ctx, submitters, o.Load, clients)
		if err != nil {
			return err
		}
		vain++
		if perSecond > r.TPS*gain {
			vain = 0
		}
		if perSecond > r.TPS {
			r.TPS, r.CPU, r.Clients = perSecond, cpu, clients
		}
	}
	rates := o.Rates
	for _, share := range o.Shares {
		rates = append(rates, share*r.TPS)
	}
	for _, rate := range rates {
		latency, err := pace(ctx, submitters, o.Load, rate)
		if err != nil {
			return err
		}
		r.Latencies = append(r.Latencies, latency)
	}
	return nil
}

// saturate has so many clients submit one transaction after the other, and counts what was committed in the time after a
// warm-up of a quarter of it. cpu is milliseconds of the machine's CPU time for each.
func saturate(ctx context.Context, submitters []ledger.Client, long time.Duration, clients int) (perSecond, cpu float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var done, failed atomic.Int64
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	for worker := range clients {
		tasks.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := put(ctx, submitters[worker%len(submitters)], fmt.Sprintf("load-%d-%d-%d", clients, worker, n)); err == nil {
					done.Add(1)
				} else if ctx.Err() == nil {
					failed.Add(1)
				}
			}
		})
	}
	if err := sleep(ctx, long/4); err != nil {
		return 0, 0, err
	}
	began, before, busy := time.Now(), done.Load(), busyTime()
	if err := sleep(ctx, long); err != nil {
		return 0, 0, err
	}
	count := float64(done.Load() - before)
	seconds := time.Since(began).Seconds()
	busy = busyTime() - busy
	if bad := failed.Load(); float64(bad) > count/100 || count == 0 {
		return 0, 0, fmt.Errorf("%d transactions failed and %.0f were committed: such a rate says nothing", bad, count)
	}
	return count / seconds, busy / count * 1000, nil
}

// pace submits transactions at a steady rate, whether those before are done or not, so that one that is slow does not hide
// the waiting of those behind it. Those of the first quarter do not count.
func pace(ctx context.Context, submitters []ledger.Client, long time.Duration, rate float64) (Latency, error) {
	var tasks sync.WaitGroup
	var mu sync.Mutex
	var took []float64
	failed, began := 0, time.Now()
	interval := time.Duration(float64(time.Second) / rate)
	for n := 0; ; n++ {
		due := began.Add(time.Duration(n) * interval)
		if due.Sub(began) > long+long/4 {
			break
		}
		if err := sleep(ctx, time.Until(due)); err != nil {
			return Latency{}, err
		}
		tasks.Go(func() {
			_, err := put(ctx, submitters[n%len(submitters)], fmt.Sprintf("pace-%.0f-%d", rate*1000, n))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				failed++
			case due.Sub(began) >= long/4:
				took = append(took, float64(time.Since(due).Microseconds())/1000)
			}
		})
	}
	tasks.Wait()
	if failed > len(took)/100 || len(took) == 0 {
		return Latency{}, fmt.Errorf("%d transactions failed and %d were committed at %.0f a second: their latency says nothing", failed, len(took), rate)
	}
	return Latency{Rate: rate, P50: figures.Percentile(took, 50), P99: figures.Percentile(took, 99)}, nil
}

func sleep(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}

// busyTime is how many seconds all CPUs together have not been idle.
func busyTime() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var sum float64
	for i, field := range strings.Fields(line)[1:] {
		ticks, _ := strconv.ParseFloat(field, 64)
		if idle := i == 3 || i == 4; !idle && i < 8 {
			sum += ticks
		}
	}
	return sum / 100
}
