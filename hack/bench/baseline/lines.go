package baseline

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/hanse-io/hanse/internal/routing"
)

// end is the address of an organization's end of one of its lines to another: the first, or the second.
func end(number, to, line int) string { return fmt.Sprintf("10.77.%d%d.%d", number, to, line) }

// linesTo are the lines from one organization to another, at a node's port. A single one leads to where the other's gateway
// listens; of two, each has ends of its own, which twoLines leads there.
func (o Order) linesTo(from, to, port int) []routing.Line {
	name := organizations[from-1] + "-" + organizations[to-1]
	if o.Cuts == 0 {
		return []routing.Line{{Name: name, Member: organizations[to-1], Address: lineEnd(to), Port: int32(linePort(port)), Priority: 100}}
	}
	var lines []routing.Line
	for n := 1; n <= 2; n++ {
		lines = append(lines, routing.Line{
			Name: fmt.Sprintf("%s-%d", name, n), Member: organizations[to-1], Address: end(to, from, n), Port: int32(linePort(port)), Priority: int32(100 * n),
		})
	}
	return lines
}

// twoLines makes two lines between every two organizations: what is sent to a line's far end arrives at the gateway there,
// from the line's near end.
func twoLines(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "ip", "route", "add", "local", "10.77.0.0/16", "dev", "lo").CombinedOutput(); err != nil {
		return fmt.Errorf("ip route add local: %w: %s", err, out)
	}
	return nft(ctx, lineRules())
}

// lineRules are the nft rules of all lines, and an empty table of those that are cut.
func lineRules() string {
	var out, in strings.Builder
	for from := range organizations {
		for to := range organizations {
			for n := 1; n <= 2 && from != to; n++ {
				far, near := end(to+1, from+1, n), end(from+1, to+1, n)
				fmt.Fprintf(&out, "    ip daddr %s dnat to %s\n", far, lineEnd(to+1))
				fmt.Fprintf(&in, "    ct original ip daddr %s snat to %s\n", far, near)
			}
		}
	}
	return fmt.Sprintf(`table ip lines {
  chain output {
    type nat hook output priority -100;
%s  }
  chain postrouting {
    type nat hook postrouting priority 100;
%s  }
}
table ip cut {
  chain output {
    type filter hook output priority 0;
  }
}
`, out.String(), in.String())
}

// cut cuts the first line between two organizations: everything on it is lost, both ways, and nobody is told.
func cut(ctx context.Context, a, b int) error {
	return nft(ctx, fmt.Sprintf("add rule ip cut output ct original ip daddr { %s, %s } counter drop\n", end(a, b, 1), end(b, a, 1)))
}

var counted = regexp.MustCompile(`counter packets (\d+) `)

// restore makes all lines whole again, and says how many packets have been lost.
func restore(ctx context.Context) (lost int, err error) {
	listed, err := exec.CommandContext(ctx, "nft", "list", "table", "ip", "cut").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("nft list: %w: %s", err, listed)
	}
	if found := counted.FindSubmatch(listed); found != nil {
		if lost, err = strconv.Atoi(string(found[1])); err != nil {
			return 0, err
		}
	}
	return lost, nft(ctx, "flush chain ip cut output\n")
}

func nft(ctx context.Context, rules string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, out)
	}
	return nil
}
