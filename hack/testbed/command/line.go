package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed"
)

func lineCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "line", Short: "List, add, cut, restore, slow and delay lines"}
	cmd.AddCommand(lineList(o), lineAdd(o),
		lineChange(o, "cut", "Cut a line", (*testbed.Testbed).Cut),
		lineChange(o, "restore", "Make a line whole again, at full speed and without delay", (*testbed.Testbed).Restore),
		lineSlow(o), lineDelay(o))
	return cmd
}

func lineList(o *options) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show all lines, their addresses and how they are",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			switch output {
			case "":
				return printLines(cmd.Context(), cmd.OutOrStdout(), t)
			case "json":
				return encodeLines(cmd.Context(), cmd.OutOrStdout(), t)
			}
			return fmt.Errorf("--output %q: write json, or nothing for a table", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json, or nothing for a table")
	return cmd
}

// listedLine is a line in the JSON of `line list`.
type listedLine struct {
	Name  string      `json:"name"`
	Index int         `json:"index"` // 1 for the first line between the two, 2 for the second, …
	Ends  []listedEnd `json:"ends"`
	State string      `json:"state"`
}

type listedEnd struct {
	Cluster string `json:"cluster"`
	Address string `json:"address"`
}

func encodeLines(ctx context.Context, out io.Writer, t *testbed.Testbed) error {
	known, err := t.Lines()
	if err != nil {
		return err
	}
	lines := make([]listedLine, 0, len(known))
	for _, l := range known {
		state, err := t.LineState(ctx, l.Link())
		if err != nil {
			return err
		}
		lines = append(lines, listedLine{
			Name: l.Name(), Index: l.Index, State: state,
			Ends: []listedEnd{{l.A, l.Address(l.A).String()}, {l.B, l.Address(l.B).String()}},
		})
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(lines)
}

func printLines(ctx context.Context, out io.Writer, t *testbed.Testbed) error {
	lines, err := t.Lines()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "LINE\tENDS\tADDRESSES\tSTATE")
	for _, l := range lines {
		state, err := t.LineState(ctx, l.Link())
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s %s\t%s %s\t%s\n", l.Name(), l.A, l.B, l.Address(l.A), l.Address(l.B), state)
	}
	return table.Flush()
}

func lineAdd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "add A B",
		Short: "Add one more line between two clusters",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			l, err := t.Add(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s %s, %s %s\n", l.Name(), l.A, l.Address(l.A), l.B, l.Address(l.B))
			return nil
		},
	}
}

func lineChange(o *options, use, short string, change func(*testbed.Testbed, context.Context, testbed.Link) error) *cobra.Command {
	var index int
	cmd := &cobra.Command{
		Use:   use + " A B",
		Short: short,
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			link := testbed.Link{A: args[0], B: args[1], Index: index}
			if err := change(t, cmd.Context(), link); err != nil {
				return err
			}
			l, err := t.Line(link)
			if err != nil {
				return err
			}
			state, err := t.LineState(cmd.Context(), link)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", l.Name(), state)
			return nil
		},
	}
	cmd.Flags().IntVar(&index, "index", 1, "which of several lines between the two")
	return cmd
}

func lineSlow(o *options) *cobra.Command {
	var rate string
	cmd := lineChange(o, "slow", "Limit a line's rate in each direction",
		func(t *testbed.Testbed, ctx context.Context, link testbed.Link) error { return t.Slow(ctx, link, rate) })
	cmd.Flags().StringVar(&rate, "rate", "10mbit", "the rate, as tc writes it")
	return cmd
}

func lineDelay(o *options) *cobra.Command {
	var by time.Duration
	cmd := lineChange(o, "delay", "Delay what a line carries, in each direction",
		func(t *testbed.Testbed, ctx context.Context, link testbed.Link) error { return t.Delay(ctx, link, by) })
	cmd.Flags().DurationVar(&by, "by", 20*time.Millisecond, "how long, in each direction; 0 for not at all")
	return cmd
}

func addressCommand(o *options) *cobra.Command {
	var from string
	var index int
	cmd := &cobra.Command{
		Use:   "address CLUSTER --from CLUSTER",
		Short: "Print a cluster's line address as another cluster sees it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			l, err := t.Line(testbed.Link{A: from, B: args[0], Index: index})
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), l.Address(args[0]))
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the cluster that looks")
	cmd.Flags().IntVar(&index, "index", 1, "which of several lines between the two")
	_ = cmd.MarkFlagRequired("from")
	return cmd
}
