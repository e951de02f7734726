package main

import (
	"fmt"
	"strings"

	"github.com/hanse-io/hanse/ledger"
)

// language is what a table is written in.
type language struct {
	header  []string
	effects map[ledger.Effect]string
	// also says that a field is a member's own too, and says introduces the API server's message.
	also, says string
	// costs translates sentences; nil where they stay.
	costs map[string]string
}

var english = language{
	header: []string{"field of `spec`", "default", "a change", "what it costs"},
	effects: map[ledger.Effect]string{
		ledger.EffectLive: "at once", ledger.EffectRestart: "restarts nodes", ledger.EffectGrow: "can only grow",
		ledger.EffectAdded: "new nodes only", ledger.EffectFixed: "rejected",
	},
	also: "also `members[].%s`", says: " Rejected with: “%s”",
}

// render writes the rows as a table in Markdown.
func render(rows []row, in language) (string, error) {
	var text strings.Builder
	line := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | "))
	}
	line(in.header...)
	fmt.Fprintln(&text, "|"+strings.Repeat("---|", len(in.header)))
	for _, r := range rows {
		field, value, cost := "`"+r.Path+"`", "", r.Cost
		if strings.HasPrefix(r.Path, "nodes.") {
			field += ", " + fmt.Sprintf(in.also, r.Path)
		}
		if r.Default != "" {
			value = "`" + r.Default + "`"
		}
		if in.costs != nil {
			if cost = in.costs[r.Cost]; cost == "" {
				return "", fmt.Errorf("there is no translation of %q: add one to hack/settings/chinese.go", r.Cost)
			}
		}
		if r.Message != "" {
			cost += fmt.Sprintf(in.says, r.Message)
		}
		line(field, value, in.effects[r.Effect], cost)
	}
	return text.String(), nil
}
