//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanse-io/hanse/hack/harness"
	"github.com/hanse-io/hanse/internal/scrape"
)

// prometheusAddress is on the loopback address of a cluster's LAN, on which no port of the cluster's is.
const prometheusAddress = "127.0.0.1:19090"

// emptyWhenWell are the panels that show nothing on a whole testbed, and why.
var emptyWhenWell = map[string]string{
	"Not ready":                      "everything is ready",
	"Conditions that are not met":    "all are met",
	"Statements refused":             "none was ever refused, and a counter begins with the first",
	"Endorsements that failed":       "none ever failed, and a counter begins with the first",
	"Raft proposals that failed":     "none ever failed, and a counter begins with the first",
	"Transactions given to orderers": "peers choose the orderer, which may be another organization's each time",
	"Volumes used":                   "volumes of a testbed are directories of the node, which the kubelet does not measure",
}

// dashboardsShowData runs each expression of each dashboard on a real Prometheus that scrapes the clusters as it would in them.
func dashboardsShowData(t *testing.T, s *harness.Harness) {
	host := fmt.Sprintf("scrape_configs: [{job_name: hanse, scrape_interval: 1s, static_configs: [{targets: [%s]}]}]",
		podTargets(t, s, "host", "federation", 8080))
	showData(t, s, "host", host, "charts/federation/monitoring/dashboards/federation.json")

	secret := t.TempDir()
	for _, key := range []string{"ca.crt", "tls.crt", "tls.key"} {
		text, err := base64.StdEncoding.DecodeString(get(t, s, "org1", "{.data."+strings.ReplaceAll(key, ".", `\.`)+"}", "-n", "hanse-trade", "secret", "monitor-org1-tls"))
		if err != nil || os.WriteFile(filepath.Join(secret, key), text, 0o600) != nil {
			t.Fatalf("%s of the certificate for monitoring: %v", key, err)
		}
	}
	member := fmt.Sprintf(`
global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: hanse, static_configs: [{targets: [%s, %s]}]}
  - job_name: hanse-trade
    scheme: https
    tls_config: {ca_file: %[3]s/ca.crt, cert_file: %[3]s/tls.crt, key_file: %[3]s/tls.key}
    static_configs:
      - {targets: ["peer0-org1.hanse-trade:9443"], labels: {consortium: trade, node: peer0-org1, role: peer}}
      - {targets: ["orderer0-org1.hanse-trade:8443"], labels: {consortium: trade, node: orderer0-org1, role: orderer}}
`, podTargets(t, s, "org1", "member-agent", 8080), podTargets(t, s, "org1", "gateway", 9090), secret)
	showData(t, s, "org1", member, "charts/member-agent/monitoring/dashboards/member.json",
		"charts/member-agent/monitoring/dashboards/line.json", "charts/member-agent/monitoring/dashboards/ledger-nodes.json")
}

// podTargets are the addresses of a program's pods, as a list's elements in YAML.
func podTargets(t *testing.T, s *harness.Harness, cluster, name string, port int) string {
	t.Helper()
	addresses := strings.Fields(get(t, s, cluster, "{.items[*].status.podIP}", "-n", "hanse-system", "pods", "-l", "app.kubernetes.io/name="+name))
	if len(addresses) == 0 {
		t.Fatalf("%s: there is no pod of %s", cluster, name)
	}
	for i, address := range addresses {
		addresses[i] = fmt.Sprintf(`"%s:%d"`, address, port)
	}
	return strings.Join(addresses, ", ")
}

// showData runs Prometheus in a cluster until every expression of the dashboards returns something.
func showData(t *testing.T, s *harness.Harness, cluster, config string, dashboards ...string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	prometheus := exec.CommandContext(ctx, s.Bin("testbed"), "--name", s.Name, "exec", cluster, "--dns", "--",
		part(t, s, "prometheus"), "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+prometheusAddress, "--log.level=warn")
	prometheus.Dir = s.Root
	prometheus.Cancel, prometheus.WaitDelay = func() error { return prometheus.Process.Signal(syscall.SIGTERM) }, 10*time.Second
	prometheus.Stdout, prometheus.Stderr = t.Output(), t.Output()
	if err := prometheus.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		_ = prometheus.Wait()
	}()
	promtool := part(t, s, "promtool")
	for _, path := range dashboards {
		panels, err := scrape.Panels(filepath.Join(s.Root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, panel := range panels {
			if emptyWhenWell[panel.Title] != "" {
				continue
			}
			eventually(t, cluster+": "+filepath.Base(path)+": "+panel.Title, func() error {
				out, err := s.Testbed(t.Context(), "exec", cluster, "--", promtool, "query", "instant", "--format=json", "http://"+prometheusAddress, panel.Expr)
				if err != nil {
					return err
				}
				var series []json.RawMessage
				if err := json.Unmarshal([]byte(out), &series); err != nil || len(series) == 0 {
					return fmt.Errorf("%s returns %s %w", panel.Expr, out, err)
				}
				return nil
			})
		}
	}
}

func part(t *testing.T, s *harness.Harness, name string) string {
	t.Helper()
	return strings.TrimSpace(must2(t)(s.Part(name)))
}
