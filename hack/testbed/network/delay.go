package network

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/hanse-io/hanse/hack/testbed/cgroup"
	"github.com/hanse-io/hanse/hack/testbed/process"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

const (
	// delayDir is where the processes that delay lines have their logs and records, beside the clusters'. No cluster can
	// be called like it.
	delayDir = "line-delay"
	// delayMark marks frames that have been delayed already.
	delayMark = 0x7d
	// delayAlias begins the alias of an interface whose frames are delayed, before the delay.
	delayAlias    = "delay="
	delayPatience = 10 * time.Second
)

// Delay delays what a line carries by a time, in each direction; 0 ends that. program is line-delay, one process of which
// runs in each border: what leaves on the line is forwarded to it, and comes out when its time is over.
func Delay(ctx context.Context, f *topology.Testbed, l topology.Line, delay time.Duration, program string) error {
	if delay < 0 {
		return fmt.Errorf("delay line %s by %s: a delay is 0 or more", l.Name(), delay)
	}
	for _, end := range []string{l.A, l.B} {
		if err := endDelay(ctx, f, l, end); err != nil {
			return fmt.Errorf("end the delay of line %s at %s: %w", l.Name(), end, err)
		}
		if delay == 0 {
			continue
		}
		if err := delayEnd(ctx, f, l, end, delay, program); err != nil {
			return fmt.Errorf("delay line %s at %s: %w", l.Name(), end, err)
		}
	}
	return nil
}

// delayEnd delays what leaves on a line at one of its ends. Frames are forwarded once there is somewhere to go.
func delayEnd(ctx context.Context, f *topology.Testbed, l topology.Line, end string, delay time.Duration, program string) error {
	border, name := f.Border(end), l.Interface(end)
	dir, record := state.ClusterDir(f.Name, delayDir), delayRecord(l, end)
	group := cgroup.OfCluster(f.Name, delayDir)
	if err := group.Create(); err != nil {
		return err
	}
	_, err := process.Ensure(process.Spec{
		Name: record, Path: program, Namespace: NamespacePath(border), Group: group, Dir: dir,
		Args: []string{"--interface", name, "--tap", delayTap(l), "--delay", delay.String(), "--mark", fmt.Sprint(delayMark)},
	})
	if err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, delayPatience, true, func(ctx context.Context) (bool, error) {
		if running, err := process.Read(dir, record); err != nil || !running.Alive() {
			return false, errors.Join(err, errors.New("the process has ended"))
		}
		return isUp(ctx, border, delayTap(l)), nil
	})
	if err != nil {
		return fmt.Errorf("%w; see %s", err, process.LogFile(dir, record))
	}
	if err := inside(ctx, border, delayRules(l, end), "nft", "-f", "-"); err != nil {
		return err
	}
	return run(ctx, "", "ip", "-netns", border, "link", "set", name, "alias", delayAlias+delay.String())
}

// endDelay lets what leaves on a line at one of its ends go at once. It does nothing where nothing is delayed.
func endDelay(ctx context.Context, f *topology.Testbed, l topology.Line, end string) error {
	border, name := f.Border(end), l.Interface(end)
	dir, record := state.ClusterDir(f.Name, delayDir), delayRecord(l, end)
	shown, err := output(ctx, "", "ip", "-netns", border, "-oneline", "link", "show", name)
	if err != nil {
		return err
	}
	if running, err := process.Read(dir, record); delayOf(shown) == "" && (err != nil || !running.Alive()) {
		return nil
	}
	if err := inside(ctx, border, noDelayRules(l), "nft", "-f", "-"); err != nil {
		return err
	}
	err = process.KillAll(time.Now().Add(delayPatience), func() ([]int, error) {
		if running, err := process.Read(dir, record); err == nil && running.Alive() {
			return []int{running.PID}, nil
		}
		return nil, nil
	})
	if err != nil {
		return err
	}
	return run(ctx, "", "ip", "-netns", border, "link", "set", name, "alias", "")
}

// delayRules renders the nft rules that forward what leaves on a line to the process that delays it.
func delayRules(l topology.Line, end string) string {
	return noDelayRules(l) + fmt.Sprintf(`table netdev %[1]s {
  chain out {
    type filter hook egress device %[2]q priority 0; policy accept;
    meta mark != %[3]d fwd to %[1]q
  }
}
`, delayTap(l), l.Interface(end), delayMark)
}

// noDelayRules removes the rules, if there are any.
func noDelayRules(l topology.Line) string {
	return fmt.Sprintf("table netdev %[1]s\ndelete table netdev %[1]s\n", delayTap(l))
}

// delayTap names the interface and the table of rules, the same at both ends.
func delayTap(l topology.Line) string { return fmt.Sprintf("delay%d", l.Block) }

func delayRecord(l topology.Line, end string) string { return l.Name() + "-" + end }

// delayOf reads how long frames are delayed that leave on an interface, as `ip link show` prints it; empty if not at all.
func delayOf(shown string) string {
	fields := strings.Fields(shown)
	for i, word := range fields[:max(0, len(fields)-1)] {
		if delay, ok := strings.CutPrefix(fields[i+1], delayAlias); ok && word == "alias" {
			return delay
		}
	}
	return ""
}

// isUp says whether an interface is there and has been brought up.
func isUp(ctx context.Context, namespace, name string) bool {
	out, err := output(ctx, "", "ip", "-netns", namespace, "-oneline", "link", "show", "up", "dev", name)
	return err == nil && strings.Contains(out, name)
}
