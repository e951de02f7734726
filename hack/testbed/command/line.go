package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func lineCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "line", Short: "List, add, cut, restore and slow lines"}
	cmd.AddCommand(lineList(o), lineAdd(o),
		lineChange(o, "cut", "Cut a line", network.Cut),
		lineChange(o, "restore", "Make a line whole again, at full speed", network.Restore),
		lineSlow(o))
	return cmd
}

func lineList(o *options) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show all lines, their addresses and how they are",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := o.existing()
			if err != nil {
				return err
			}
			switch output {
			case "":
				return printLines(cmd.Context(), cmd.OutOrStdout(), f)
			case "json":
				return encodeLines(cmd.Context(), cmd.OutOrStdout(), f)
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

func encodeLines(ctx context.Context, out io.Writer, f *topology.Testbed) error {
	lines := make([]listedLine, 0, len(f.Lines))
	for _, l := range f.Lines {
		lines = append(lines, listedLine{
			Name: l.Name(), Index: l.Index, State: network.LineState(ctx, f, l),
			Ends: []listedEnd{{l.A, l.Address(l.A).String()}, {l.B, l.Address(l.B).String()}},
		})
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(lines)
}

func printLines(ctx context.Context, out io.Writer, f *topology.Testbed) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "LINE\tENDS\tADDRESSES\tSTATE")
	for _, l := range f.Lines {
		fmt.Fprintf(table, "%s\t%s %s\t%s %s\t%s\n", l.Name(), l.A, l.B, l.Address(l.A), l.Address(l.B),
			network.LineState(ctx, f, l))
	}
	return table.Flush()
}

func lineAdd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "add A B",
		Short: "Add one more line between two clusters",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, release, err := o.locked()
			if err != nil {
				return err
			}
			defer release()
			l, err := f.AddLine(args[0], args[1])
			if err != nil {
				return err
			}
			if err := state.Save(f); err != nil {
				return err
			}
			if err := network.AddLine(cmd.Context(), f, l); err != nil {
				return err
			}
			if l.Has(topology.Host) {
				host, err := f.Cluster(topology.Host)
				if err != nil {
					return err
				}
				if err := newCluster(f, host, nil, nil).RenewServer(); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s %s, %s %s\n", l.Name(), l.A, l.Address(l.A), l.B, l.Address(l.B))
			return nil
		},
	}
}

func lineChange(o *options, use, short string, change func(context.Context, *topology.Testbed, topology.Line) error) *cobra.Command {
	var index int
	cmd := &cobra.Command{
		Use:   use + " A B",
		Short: short,
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, release, err := o.locked()
			if err != nil {
				return err
			}
			defer release()
			l, err := f.Line(args[0], args[1], index)
			if err != nil {
				return err
			}
			if err := change(cmd.Context(), f, l); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", l.Name(), network.LineState(cmd.Context(), f, l))
			return nil
		},
	}
	cmd.Flags().IntVar(&index, "index", 1, "which of several lines between the two")
	return cmd
}

func lineSlow(o *options) *cobra.Command {
	var rate string
	cmd := lineChange(o, "slow", "Limit a line's rate in each direction",
		func(ctx context.Context, f *topology.Testbed, l topology.Line) error {
			return network.Slow(ctx, f, l, rate)
		})
	cmd.Flags().StringVar(&rate, "rate", "10mbit", "the rate, as tc writes it")
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
			f, err := o.existing()
			if err != nil {
				return err
			}
			l, err := f.Line(from, args[0], index)
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
