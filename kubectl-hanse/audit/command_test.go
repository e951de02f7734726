package audit

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

const (
	vectors = "../../governance/testdata/trade.jsonl"
	charter = "98bf84fd8a1f16e382a628709d5c2c04f05b99831aa2363cc730dda95292617b"
)

func TestAudit(t *testing.T) {
	given, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why     string
		file    string
		args    []string
		out     string
		problem string
	}{
		{why: "it holds", file: string(given), args: []string{"--charter", charter}, out: "The log of trade holds: 3 entries, members org1, org2, org4."},
		{why: "of whose charter nobody has said anything", file: string(given), out: "Compare the charter's digest"},
		{why: "of another charter", file: string(given), args: []string{"--charter", strings.Repeat("0", 64)}, problem: "another charter"},
		{why: "an entry is missing", file: strings.Replace(string(given), lines(given)[4], "", 1), problem: "line 6: entry 1"},
		{why: "a vote is cut out", file: strings.Replace(string(given), `"votes":[{`, `"votes":[],"x":[{`, 1), problem: "line 5"},
		{why: "no log at all", file: "hello\n", problem: "line 1"},
		{why: "nothing", problem: "no charter"},
		{why: "no digest", file: string(given), args: []string{"--charter", "trade"}, problem: "64 hexadecimal digits"},
	} {
		t.Run(row.why, func(t *testing.T) {
			cmd := Command()
			var out bytes.Buffer
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetOut(&out)
			cmd.SetIn(strings.NewReader(row.file))
			cmd.SetArgs(append([]string{"-"}, row.args...))
			err := cmd.Execute()
			if (err == nil) != (row.problem == "") || (err != nil && !strings.Contains(err.Error(), row.problem)) {
				t.Errorf("%v, want %q", err, row.problem)
			}
			if !strings.Contains(out.String(), row.out) {
				t.Errorf("%s\nhas no %q", out.String(), row.out)
			}
		})
	}
}

func lines(text []byte) []string { return strings.SplitAfter(string(text), "\n") }
