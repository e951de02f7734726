//go:build integration

package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hanse-io/hanse/internal/scrape"
)

// checkMetrics reads what an agent that carries out the plan trade tells Prometheus.
func checkMetrics(t *testing.T, registry *prometheus.Registry) {
	t.Helper()
	for _, series := range []string{
		`hanse_objects{kind="MemberPlan"} 1`,
		`hanse_object_condition{kind="MemberPlan",name="trade",object_namespace="hanse-system",reason="Ready",status="True",type="IdentitiesReady"} 1`,
		`hanse_node_ready{consortium="trade",node="peer0-org1",role="Peer"} 0`,
		`hanse_certificate_not_after_timestamp_seconds{certificate="hanse-gateway",consortium=""} `,
		`hanse_certificate_not_after_timestamp_seconds{certificate="orderer0-org1-tls",consortium="trade"} `,
		`hanse_host_last_contact_timestamp_seconds `,
		`hanse_host_credential_shared 0`,
	} {
		eventually(t, "the metric "+series, func(context.Context) error {
			all := scrape.Hanse(t, registry)
			if !slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, series) }) {
				return fmt.Errorf("not among\n%s", strings.Join(all, "\n"))
			}
			return nil
		})
	}
}

// TestMonitoringIsOffWhereItIsNotServed renders the chart for a cluster with and for one without the Prometheus operator's kinds.
func TestMonitoringIsOffWhereItIsNotServed(t *testing.T) {
	for _, c := range []struct {
		why        string
		args, want []string
	}{
		{"a cluster without the kinds", []string{"--set", "monitoring.consortia={trade}"}, nil},
		{"one that has them", []string{"--api-versions", "monitoring.coreos.com/v1"}, []string{
			"kind: PodMonitor", "kind: PrometheusRule", "member.json", "line.json", "ledger-nodes.json", "alert: HanseNoCommit",
		}},
		{"nodes of a consortium, with the certificate that they ask for", []string{
			"--api-versions", "monitoring.coreos.com/v1", "--set", "monitoring.consortia={trade}",
		}, []string{"namespace: hanse-trade", "cert: {secret: {name: monitor-org1-tls, key: tls.crt}}", "targetLabel: consortium"}},
	} {
		out, err := exec.Command(asset(t, "helm"), slices.Concat([]string{"template", "member-agent", ownChart}, chartValues, c.args)...).CombinedOutput()
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
