package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

func consortiumCRD(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../../charts/federation/crds/federation.hanse.io_consortia.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := map[string]any{}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	return crd
}

// TestEveryFieldHasARow joins the real CRD with the real Planner, and then with one that lacks something.
func TestEveryFieldHasARow(t *testing.T) {
	all := planner.Planner{}.Settings()
	at := func(path string) int {
		return slices.IndexFunc(all, func(s ledger.Setting) bool { return s.Path == path })
	}
	for _, c := range []struct {
		why    string
		change func([]ledger.Setting) []ledger.Setting
		says   string
	}{
		{"as they are", func(s []ledger.Setting) []ledger.Setting { return s }, ""},
		{"a field without a row", func(s []ledger.Setting) []ledger.Setting {
			return slices.Delete(s, at("nodes.peerLogLevel"), at("nodes.peerLogLevel")+1)
		},
			"spec.nodes.peerLogLevel has no row"},
		{"a row without a field", func(s []ledger.Setting) []ledger.Setting {
			return append(s, ledger.Setting{Path: "nodes.color", Effect: ledger.EffectLive})
		},
			"no field spec.nodes.color"},
		{"a rule that no row names", func(s []ledger.Setting) []ledger.Setting {
			s[at("ledger.type")].Rejected, s[at("ledger.type")].Effect = "", ledger.EffectLive
			return s
		}, `no setting names the rule "the ledger type`},
		{"a rule that there is not", func(s []ledger.Setting) []ledger.Setting { s[at("ledger.type")].Rejected = "never"; return s }, `no rule of the CRD rejects a change of ledger.type`},
		{"fixed by nothing", func(s []ledger.Setting) []ledger.Setting {
			s[at("nodes.extraSANs")].Effect = ledger.EffectFixed
			return s
		}, "nothing rejects what must not change of nodes.extraSANs"},
	} {
		t.Run(c.why, func(t *testing.T) {
			rows, err := join(consortiumCRD(t), c.change(slices.Clone(all)))
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("got %v, want %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range []language{english, chinese} {
				table, err := render(rows, in)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Count(table, "\n"); got != len(all)+2 {
					t.Errorf("%d lines for %d settings:\n%s", got, len(all), table)
				}
				for effect := range english.effects {
					if in.effects[effect] == "" {
						t.Errorf("no word for %s", effect)
					}
				}
			}
		})
	}
}
