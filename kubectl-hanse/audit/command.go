// Package audit verifies a consortium's governance log from a file, without any cluster. It must not know where the file is from.
package audit

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/governance"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
)

// Command verifies a log and prints its entries.
func Command() *cobra.Command {
	var charter string
	cmd := &cobra.Command{
		Use:   "audit FILE",
		Short: "Verify a consortium's governance log from a file, offline",
		Long: `Verify a consortium's governance log from a file, or from standard input with -: each signature, vote and rule from the
charter on. No cluster is asked. An error says in which line, and of which entry, what does not hold.

The charter's digest makes it proof: get it from a founding member that you trust.`,
		Example: `  kubectl hanse audit trade.jsonl --charter 98bf84fd8a1f16e382a628709d5c2c04f05b99831aa2363cc730dda95292617b`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if charter != "" && !v1alpha1.IsDigest(charter) {
				return exitcode.Usagef("--charter %s is not the digest of a charter: give 64 hexadecimal digits, in lower case", charter)
			}
			return read(args[0], cmd.InOrStdin(), func(in io.Reader) error { return audit(cmd.OutOrStdout(), in, charter) })
		},
	}
	cmd.Flags().StringVar(&charter, "charter", "", "digest of the charter, as you know it from a founding member")
	return cmd
}

func read(path string, stdin io.Reader, use func(io.Reader) error) error {
	if path == "-" {
		return use(stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return use(file)
}

func audit(out io.Writer, in io.Reader, charter string) error {
	state, err := governance.Audit(in, charter, func(e *governance.Entry) { fmt.Fprintln(out, describe(e)) })
	if err != nil {
		return fmt.Errorf("the log does not hold: %w", err)
	}
	fmt.Fprintf(out, "The log of %s holds: %d entries, members %s.\ncharter %s\nhead    %s\n",
		state.Consortium, state.Position, strings.Join(state.Names(), ", "), state.Charter, state.Head)
	if charter == "" {
		fmt.Fprintln(out, "Compare the charter's digest with what a founding member tells you, and give it with --charter: without it, anybody can make such a file.")
	}
	return nil
}

// describe is an entry that was verified, in a line.
func describe(e *governance.Entry) string {
	p, err := governance.ParseProposal(&e.Proposal)
	if err != nil {
		return err.Error()
	}
	var approved []string
	for i := range e.Votes {
		approved = append(approved, e.Votes[i].Member)
	}
	return fmt.Sprintf("%4d  %-16s %s  proposed by %s, approved by %s, committed by %d members",
		p.Position, p.Kind, p.Digest[:12], p.Proposer, strings.Join(approved, ", "), len(e.Commits))
}
