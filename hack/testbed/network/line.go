package network

import (
	"context"
	"fmt"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Cut takes a line down at its first end; the second end loses its carrier, as with a real cable.
func Cut(ctx context.Context, f *topology.Testbed, l topology.Line) error {
	return run(ctx, "", "ip", "-netns", f.Border(l.A), "link", "set", l.Interface(l.A), "down")
}

// Restore brings a line up again, at full speed and without delay.
func Restore(ctx context.Context, f *topology.Testbed, l topology.Line) error {
	for _, end := range []string{l.A, l.B} {
		border, name := f.Border(end), l.Interface(end)
		if err := run(ctx, "", "ip", "-netns", border, "link", "set", name, "up"); err != nil {
			return err
		}
		if err := endDelay(ctx, f, l, end); err != nil {
			return err
		}
		if rate, err := limit(ctx, border, name); err != nil {
			return err
		} else if rate == "" {
			continue
		}
		if err := inside(ctx, border, "", "tc", "qdisc", "del", "dev", name, "root"); err != nil {
			return err
		}
	}
	return nil
}

// Slow limits a line to a rate as tc writes it (10mbit), in each direction.
func Slow(ctx context.Context, f *topology.Testbed, l topology.Line, rate string) error {
	for _, end := range []string{l.A, l.B} {
		if err := inside(ctx, f.Border(end), "", "tc", "qdisc", "replace", "dev", l.Interface(end), "root",
			"tbf", "rate", rate, "burst", "64kb", "latency", "400ms"); err != nil {
			return fmt.Errorf("slow line %s to %q (a rate is written like 10mbit): %w", l.Name(), rate, err)
		}
	}
	return nil
}

// LineState says how a line is: up, cut, missing, slowed to a rate, or delayed by a time.
func LineState(ctx context.Context, f *topology.Testbed, l topology.Line) string {
	delay := ""
	for _, end := range []string{l.A, l.B} {
		out, err := output(ctx, "", "ip", "-netns", f.Border(end), "-oneline", "link", "show", l.Interface(end))
		if err != nil {
			return "missing"
		}
		if strings.Contains(out, "state DOWN") || strings.Contains(out, "NO-CARRIER") {
			return "cut"
		}
		if delay = delayOf(out); delay != "" && !isUp(ctx, f.Border(end), delayTap(l)) {
			return "cut: what delayed it at " + end + " has ended; `testbed line restore` makes it whole"
		}
	}
	var changed []string
	if rate, err := limit(ctx, f.Border(l.A), l.Interface(l.A)); err == nil && rate != "" {
		changed = append(changed, "slowed to "+rate)
	}
	if delay != "" {
		changed = append(changed, "delayed by "+delay)
	}
	if len(changed) == 0 {
		return "up"
	}
	return strings.Join(changed, ", ")
}

// limit reads the rate that Slow has set, empty if none.
func limit(ctx context.Context, namespace, name string) (string, error) {
	out, err := output(ctx, "", "nsenter", "--net="+NamespacePath(namespace), "tc", "qdisc", "show", "dev", name, "root")
	if err != nil {
		return "", err
	}
	return tbfRate(out), nil
}

func tbfRate(shown string) string {
	fields := strings.Fields(shown)
	if len(fields) < 2 || fields[1] != "tbf" {
		return ""
	}
	for i, word := range fields[:len(fields)-1] {
		if word == "rate" {
			return fields[i+1]
		}
	}
	return ""
}
