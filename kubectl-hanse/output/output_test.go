package output

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
)

type document struct {
	Name   string   `json:"name"`
	Height int64    `json:"height"`
	Notes  []string `json:"notes,omitempty"`
}

func TestFormats(t *testing.T) {
	for _, row := range []struct {
		why, byDefault string
		args           []string
		want           string
		people         bool
		refused        string
	}{
		{why: "nothing chosen is text for people", people: true},
		{why: "wide is too", args: []string{"-o", "wide"}, people: true},
		{why: "a default is a choice", byDefault: "yaml", want: "apiVersion: plugin.hanse.io/v1alpha1\nheight: 7\nkind: Thing\nname: deals\n"},
		{why: "json", args: []string{"-ojson"}, want: "{\n    \"apiVersion\": \"plugin.hanse.io/v1alpha1\",\n    \"height\": 7,\n    \"kind\": \"Thing\",\n    \"name\": \"deals\"\n}\n"},
		{why: "jsonpath, as kubectl writes it", args: []string{"-o", "jsonpath={.name} {.height}"}, want: "deals 7"},
		{why: "a template of its own flag", args: []string{"--template", "{{.name}}"}, want: "deals"},
		{why: "a template in the format", args: []string{"-o", "go-template={{.height}}"}, want: "7"},
		{why: "no such format", args: []string{"-o", "xml"}, refused: `--output "xml" is no format of this command: give one of wide, json, yaml`},
		{why: "a template without an end", args: []string{"-o", "jsonpath={.name"}, refused: "--output jsonpath={.name: "},
		{why: "jsonpath of nothing", args: []string{"-o", "jsonpath"}, refused: "--output jsonpath: template format specified but no template given"},
	} {
		t.Run(row.why, func(t *testing.T) {
			format := NewFormat(row.byDefault, Wide)
			cmd := &cobra.Command{Use: "x", RunE: func(cmd *cobra.Command, _ []string) error {
				if err := format.Validate(); err != nil || format.ForPeople() {
					return err
				}
				return format.Print(cmd.OutOrStdout(), "Thing", &document{Name: "deals", Height: 7})
			}, SilenceErrors: true, SilenceUsage: true}
			format.AddFlags(cmd)
			var out bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetArgs(row.args)
			err := cmd.Execute()
			if row.refused != "" {
				if err == nil || !strings.Contains(err.Error(), row.refused) || exitcode.Of(err) != exitcode.Usage || out.Len() > 0 {
					t.Errorf("%v (code %d), %q; want an error of usage with %q", err, exitcode.Of(err), out.String(), row.refused)
				}
				return
			}
			if err != nil || out.String() != row.want || format.ForPeople() != row.people {
				t.Errorf("%v, for people: %v, got\n%s\nwant\n%s", err, format.ForPeople(), out.String(), row.want)
			}
		})
	}
}
