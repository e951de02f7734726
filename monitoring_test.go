package hanse

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// ruleFile is what of a rule file the tests look at.
type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr         string
			Labels, Annotations map[string]string
		}
	}
}

// alerts are those of both charts: file, rules.
func alerts(t *testing.T) map[string]ruleFile {
	t.Helper()
	files, err := filepath.Glob("charts/*/monitoring/rules.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("rule files: %v, %v", files, err)
	}
	all := map[string]ruleFile{}
	for _, path := range files {
		var file ruleFile
		if err := yaml.Unmarshal([]byte(read(t, path)), &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[path] = file
	}
	return all
}

// TestAlertsHaveRunbooks: each alert has a page in both languages, which its annotation names, and each page has an alert.
func TestAlertsHaveRunbooks(t *testing.T) {
	seen := map[string]bool{}
	for path, file := range alerts(t) {
		for _, rule := range file.Groups[0].Rules {
			if seen[rule.Alert] {
				t.Errorf("%s: there are two alerts %s", path, rule.Alert)
			}
			seen[rule.Alert] = true
			if want := "https://github.com/hanse-io/hanse/blob/main/docs/runbooks/" + rule.Alert + ".md"; rule.Annotations["runbook_url"] != want {
				t.Errorf("%s: %s: runbook_url is %q, not %q", path, rule.Alert, rule.Annotations["runbook_url"], want)
			}
			if severity := rule.Labels["severity"]; severity != "warning" && severity != "critical" {
				t.Errorf("%s: %s: severity is %q: write warning or critical", path, rule.Alert, severity)
			}
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s: %s has no summary or no description", path, rule.Alert)
			}
		}
	}
	for _, folder := range []string{"docs", "docs/zh"} {
		table := read(t, folder+"/monitoring.md")
		pages, err := filepath.Glob(folder + "/runbooks/*.md")
		if err != nil {
			t.Fatal(err)
		}
		for name := range seen {
			if !slices.Contains(pages, folder+"/runbooks/"+name+".md") {
				t.Errorf("alert %s has no page in %s/runbooks", name, folder)
			}
			if !strings.Contains(table, "| [") || !strings.Contains(table, "(runbooks/"+name+".md)") {
				t.Errorf("%s/monitoring.md has no row for alert %s", folder, name)
			}
		}
		for _, page := range pages {
			if name := strings.TrimSuffix(filepath.Base(page), ".md"); !seen[name] {
				t.Errorf("%s: there is no alert %s", page, name)
			}
		}
	}
}

// Metrics that other programs export, and that rules and dashboards use.
var foreignMetrics = []string{
	// Fabric's peers and orderers: docs/source/metrics_reference.rst in its module
	"broadcast_processed_count", "consensus_etcdraft_is_leader", "consensus_etcdraft_leader_changes",
	"consensus_etcdraft_normal_proposals_received", "consensus_etcdraft_proposal_failures", "endorser_endorsement_failures",
	"endorser_proposal_duration_bucket", "gossip_membership_total_peers_known", "ledger_block_processing_time_bucket",
	"ledger_blockchain_height", "ledger_transaction_count", "process_cpu_seconds_total", "process_resident_memory_bytes",
	// the kubelet
	"kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes",
	// controller-runtime
	"controller_runtime_reconcile_errors_total", "controller_runtime_reconcile_time_seconds_bucket", "controller_runtime_reconcile_total",
}

// metricName finds names of metrics, which have an underscore, in what is left of an expression without its labels.
var (
	braces     = regexp.MustCompile(`\{[^}]*\}|"[^"]*"|\[[^\]]*\]|\b(?:by|on|without|ignoring) *\([^)]*\)`)
	metricName = regexp.MustCompile(`[a-zA-Z]+(?:_[a-zA-Z]+)+`)
	functions  = []string{"histogram_quantile", "group_left", "label_values"}
)

// TestMetricsThatAreUsedExist: a rule on a metric that nobody exports never fires.
func TestMetricsThatAreUsedExist(t *testing.T) {
	exported := exportedMetrics(t)
	expressions := map[string][]string{}
	for path, file := range alerts(t) {
		for _, rule := range file.Groups[0].Rules {
			expressions[path] = append(expressions[path], rule.Expr)
		}
	}
	for path, panels := range dashboards(t) {
		expressions[path] = append(expressions[path], panels...)
	}
	used := map[string]bool{}
	for path, all := range expressions {
		for _, expression := range all {
			for _, name := range metricName.FindAllString(braces.ReplaceAllString(expression, ""), -1) {
				if slices.Contains(functions, name) {
					continue
				}
				used[name] = true
				if !slices.Contains(exported, name) && !slices.Contains(foreignMetrics, name) {
					t.Errorf("%s uses %s, which nobody exports: %s", path, name, expression)
				}
			}
		}
	}
	for _, name := range foreignMetrics {
		if !used[name] {
			t.Errorf("%s is used nowhere: take it off the list", name)
		}
	}
	if !used["hanse_line_up"] || !used["hanse_object_condition"] {
		t.Errorf("the pattern does not find metrics any more: %v", used)
	}
}

// dashboards are the expressions of the panels and the variables of each dashboard.
func dashboards(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("charts/*/monitoring/dashboards/*.json")
	if err != nil || len(files) != 4 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	found := map[string][]string{}
	for _, path := range files {
		var dashboard struct {
			Panels     []struct{ Targets []struct{ Expr string } }
			Templating struct{ List []struct{ Definition string } }
		}
		if err := json.Unmarshal([]byte(read(t, path)), &dashboard); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, panel := range dashboard.Panels {
			for _, target := range panel.Targets {
				found[path] = append(found[path], target.Expr)
			}
		}
		for _, variable := range dashboard.Templating.List {
			name, _, _ := strings.Cut(strings.TrimPrefix(variable.Definition, "label_values("), ",")
			found[path] = append(found[path], name)
		}
	}
	return found
}

// TestMetricsHaveRows: every metric that a program of Hanse exports has a row in docs/monitoring.md, in both languages.
func TestMetricsHaveRows(t *testing.T) {
	exported := exportedMetrics(t)
	if len(exported) < 30 {
		t.Errorf("%d metrics were found: the pattern does not fit any more", len(exported))
	}
	for _, path := range []string{"docs/monitoring.md", "docs/zh/monitoring.md"} {
		text := read(t, path)
		for _, name := range exported {
			if !strings.Contains(text, "\n| `"+name+"` |") {
				t.Errorf("%s has no row for %s", path, name)
			}
		}
		for _, row := range regexp.MustCompile("(?m)^\\| `(hanse_[a-z_]+)` \\|").FindAllStringSubmatch(text, -1) {
			if !slices.Contains(exported, row[1]) {
				t.Errorf("%s: nobody exports %s", path, row[1])
			}
		}
	}
}

// exportedMetrics are the string literals in the programs' sources that are names of metrics.
func exportedMetrics(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, folder := range []string{"federation", "member-agent", "gateway", "internal", "cmd"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), "client_golang/prometheus") {
				return err
			}
			found, err := metricLiterals(path, text)
			names = append(names, found...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func metricLiterals(path string, text []byte) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	name := regexp.MustCompile(`^hanse_[a-z_]*[a-z]$`)
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if value, err := strconv.Unquote(literal.Value); err == nil && name.MatchString(value) {
			found = append(found, value)
		}
		return true
	})
	return found, nil
}
