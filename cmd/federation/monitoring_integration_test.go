//go:build integration

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/scrape"
)

// promtool runs the real promtool in the clone.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "promtool"), args...)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestAlerts has the real promtool check both charts' alerts, and run the cases of hack/monitoring: at least one in which an
// alert fires and one in which it does not.
func TestAlerts(t *testing.T) {
	for _, chart := range []string{"federation", "member-agent"} {
		rules, cases := "charts/"+chart+"/monitoring/rules.yaml", "hack/monitoring/"+chart+"_rules_test.yaml"
		promtool(t, "check", "rules", "--lint=all", "--lint-fatal", rules)
		promtool(t, "test", "rules", cases)
		var file struct {
			Groups []struct{ Rules []struct{ Alert string } }
		}
		var tests struct {
			Tests []struct {
				Name  string
				Exprs []struct {
					Samples []struct{ Labels string } `json:"exp_samples"`
				} `json:"promql_expr_test"`
			}
		}
		for path, into := range map[string]any{rules: &file, cases: &tests} {
			text, err := os.ReadFile("../../" + path)
			if err := errors.Join(err, yaml.Unmarshal(text, into)); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		for _, rule := range file.Groups[0].Rules {
			fires, quiet := 0, 0
			for _, test := range tests.Tests {
				if name, _, _ := strings.Cut(test.Name, ":"); name != rule.Alert {
					continue
				}
				if len(test.Exprs[0].Samples) > 0 {
					fires++
				} else {
					quiet++
				}
			}
			if fires == 0 || quiet == 0 {
				t.Errorf("%s: in %d cases it fires and in %d it does not: write one of each into %s", rule.Alert, fires, quiet, cases)
			}
		}
	}
}

// TestDashboardsParse has the real promtool parse every expression of every dashboard, as rules.
func TestDashboardsParse(t *testing.T) {
	files, err := filepath.Glob("../../charts/*/monitoring/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for _, file := range files {
		panels, err := scrape.Panels(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, panel := range panels {
			if strings.Contains(panel.Expr, "$") {
				t.Errorf("%s: %s: a variable that nobody knows: %s", file, panel.Title, panel.Expr)
			}
			rules = append(rules, rule{fmt.Sprintf("dashboard:panel:%d", len(rules)), panel.Expr})
		}
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboards", "rules": rules}}})
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := errors.Join(err, os.WriteFile(path, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}

// mayBeEmpty are the panels that show nothing here, and why.
var mayBeEmpty = map[string]string{}

// TestFederationDashboard runs each expression of the dashboard on a real Prometheus that scrapes this controller.
func TestFederationDashboard(t *testing.T) {
	namespace := namespaced(t)
	a, b := joined(t, "watched1"), joined(t, "watched2")
	declare(t, namespace, "kind: Line\nmetadata: {name: watched1-watched2}\nspec: {ends: [{member: watched1, address: 198.51.100.61}, {member: watched2, address: 198.51.100.62}]}")
	trade(t, namespace, "watched", "watched1", "watched2")
	declare(t, namespace, "kind: Channel\nmetadata: {name: prices}\nspec: {consortium: watched}")
	for _, reporter := range []*agent{a, b} {
		reporter.renew(t, 300)
		reporter.reportMember(t, func(s *v1alpha1.MemberStatus) {
			far := map[string]string{"watched1": "watched2", "watched2": "watched1"}[reporter.member]
			s.Lines = []v1alpha1.LineReport{{Name: "watched1-watched2", Member: far, State: v1alpha1.LineUp, RTTMicroseconds: 900}}
		})
	}
	prometheus := scrape.StartPrometheus(t, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "prometheus"), fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs: [{job_name: hanse, static_configs: [{targets: [%q]}]}]
`, absolute(t, "../../charts/federation/monitoring/rules.yaml"), metricsAddress))
	panels, err := scrape.Panels("../../charts/federation/monitoring/dashboards/federation.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, panel := range panels {
		if mayBeEmpty[panel.Title] != "" {
			continue
		}
		eventually(t, "the panel "+panel.Title, func() error {
			n, err := prometheus.Series(panel.Expr)
			if err == nil && n == 0 {
				err = fmt.Errorf("no data: %s", panel.Expr)
			}
			return err
		})
	}
	// Each Member has a series of its own, which ends with it.
	if n, err := prometheus.Series(`hanse_member_lease_age_seconds{member="watched1"}`); err != nil || n != 1 {
		t.Errorf("lease age of watched1: %d series, %v", n, err)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMonitoringIsOffWhereItIsNotServed renders the chart for a cluster with and for one without the Prometheus operator's kinds.
func TestMonitoringIsOffWhereItIsNotServed(t *testing.T) {
	for _, c := range []struct {
		why, values string
		served      bool
		want        []string
	}{
		{"a cluster without the kinds", ``, false, nil},
		{"one that has them", ``, true, []string{"kind: PodMonitor", "kind: PrometheusRule", "federation.json", "alert: HanseMemberSilent", "{{ $labels.name }}"}},
		{"the alerts alone", `monitoring: {podMonitors: false, dashboards: false}`, true, []string{"kind: PrometheusRule"}},
		{"the operator's selector", `monitoring: {labels: {release: prometheus}}`, true, []string{"release: prometheus"}},
	} {
		args := []string{"template", "federation", charts + "federation", "--namespace", "hanse-system", "--values", "-"}
		if c.served {
			args = append(args, "--api-versions", "monitoring.coreos.com/v1")
		}
		helm := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "helm"), args...)
		helm.Stdin = strings.NewReader(c.values)
		out, err := helm.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", c.why, err, out)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: there is no %s", c.why, want)
			}
		}
		if some := strings.Contains(string(out), "PodMonitor") || strings.Contains(string(out), "grafana_dashboard"); len(c.want) == 0 && some {
			t.Errorf("%s: it has got something for monitoring", c.why)
		}
	}
}
