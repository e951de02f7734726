package plan

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

func TestFirstBlocks(t *testing.T) {
	for _, row := range []struct {
		why  string
		from map[string][]string
		most int
		want string
	}{
		{"none", nil, 3, "[]"},
		{"all, where there are few", map[string][]string{"x": {"a", "b"}, "y": {"c"}}, 3, "[a b c]"},
		{"the first by name", map[string][]string{"x": {"a", "b", "c", "d"}}, 3, "[a b c]"},
		{"a leader with many leaves room for the others", map[string][]string{"x": {"a", "b", "c", "d"}, "y": {"y"}, "z": {"z"}}, 3, "[a y z]"},
		{"what one has no use for goes to the others", map[string][]string{"x": {"a", "b", "c"}, "y": {"y"}}, 3, "[a b y]"},
	} {
		if got := fmt.Sprint(slices.Sorted(maps.Keys(firstBlocks(row.from, row.most)))); got != row.want {
			t.Errorf("%s: %s instead of %s", row.why, got, row.want)
		}
	}
}

// TestFirstBlocksInTurns lets a new member take the first blocks of a hundred channels: every turn its plan refers to some, and
// once it reports those it refers to the next, until it holds all. What nobody has published any more is asked for.
func TestFirstBlocksInTurns(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 1))
	in.Channels, in.Contracts = nil, nil
	for i := range 100 {
		in.Channels = append(in.Channels, channel(fmt.Sprintf("c%02d", i)))
	}
	in = writePlans(in)
	for i := range in.Channels {
		reports(in, "a", in.Channels[i].Name, in.Channels[i].Name, true)
	}
	in = writePlans(in) // names the blocks; their leader stops publishing them
	for turn := 1; ; turn++ {
		taken := 0
		for i := range in.Plans["a"].Spec.Channels {
			asked := in.Plans["a"].Spec.Channels[i]
			reports(in, "a", asked.Name, asked.Name, asked.GenesisRequested)
		}
		for _, c := range in.Plans["b"].Spec.Channels {
			if c.Genesis != nil {
				reports(in, "b", c.Name, c.Name, false)
				taken++
			}
		}
		if taken > maxFirstBlocks || turn > 20 {
			t.Fatalf("%d in turn %d", taken, turn)
		}
		in = writePlans(in)
		held := 0
		for i := range in.Channels {
			if c := ReportedChannel(in.Plans["b"], in.Channels[i].Name); c != nil && c.GenesisHash != "" {
				held++
			}
		}
		if held == len(in.Channels) {
			break
		}
	}
	for _, c := range in.Plans["a"].Spec.Channels {
		if c.GenesisRequested {
			t.Errorf("the first block of %s is still asked for", c.Name)
		}
	}
}
