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

	"github.com/hanse-io/hanse/member-agent/ledger/fabric"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric/fabrictest"
)

// put is one transaction; two organizations endorse it.
func put(ctx context.Context, client *fabric.Client, id string) error {
	digest := sha256.Sum256([]byte(id))
	_, err := client.Submit(ctx, channel, notary, "Put", id, hex.EncodeToString(digest[:]), "sha256", "")
	return err
}

func open(ctx context.Context, network *fabrictest.Network, member *fabrictest.Member) (*fabric.Client, error) {
	return network.Engine().Client(ctx, member.Plan, member.Keys, fabric.UserIdentity(member.Plan.Spec.Member), "")
}

// first commits the first transaction, trying again while the peers have not found each other.
func first(ctx context.Context, network *fabrictest.Network) error {
	client, err := open(ctx, network, network.Members[0])
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = put(ctx, client, "first"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// load has clients in every organization submit one transaction after the other, and counts what was committed in the
// time after a warm-up of a quarter of it.
func load(ctx context.Context, network *fabrictest.Network, long time.Duration, clients int) (perSecond, cpu float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var done, failed atomic.Int64
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	for i, member := range network.Members {
		client, err := open(ctx, network, member)
		if err != nil {
			return 0, 0, err
		}
		defer client.Close()
		for worker := range clients / len(network.Members) {
			tasks.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					if put(ctx, client, fmt.Sprintf("load-%d-%d-%d", i, worker, n)) == nil {
						done.Add(1)
					} else if ctx.Err() == nil {
						failed.Add(1)
					}
				}
			})
		}
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
	cancel()
	tasks.Wait()
	if bad := failed.Load(); float64(bad) > count/100 || count == 0 {
		return 0, 0, fmt.Errorf("%d transactions failed and %.0f were committed: such a rate says nothing", bad, count)
	}
	return count / seconds, busy / count * 1000, nil
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
