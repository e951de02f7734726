//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanse-io/hanse/hack/harness"
)

// floodTo is the environment variable that makes of TestFloodHelper a captured member's machine.
const floodTo = "HANSE_E2E_FLOOD"

const (
	floodConnections = 2500
	floodTime        = 3 * time.Minute
)

// gatewayFlooded has org3's machines open connections to org1's gateway without end, each of which names a node and says no
// more. org1 and org2 go on, and org1 shows what happens to it.
func gatewayFlooded(t *testing.T, s *harness.Harness) {
	address := get(t, s, "host", `{.spec.ends[?(@.member=="org1")].address}`, "line", "org1-org3")
	t.Setenv(floodTo, net.JoinHostPort(address, "7443"))
	ctx, stop := context.WithCancel(t.Context())
	var helper sync.WaitGroup
	helper.Go(func() {
		_, _ = s.Testbed(ctx, "exec", "org3", "--", "timeout", fmt.Sprint(int(floodTime.Seconds())), os.Args[0], "-test.run", "^TestFloodHelper$", "-test.timeout", "10m")
	})
	defer helper.Wait()
	defer stop()
	load := start(t, s, "org2", "flood")
	eventually(t, "org1 says that its gateway refuses connections of org3", expects(t, s, "org1", "Full",
		`{.status.conditions[?(@.type=="LinesReady")].reason}`, "-n", "hanse-system", "memberplan", "trade"))
	load.goesOn(t, 3)
	for _, line := range []string{"org1-org2", "org1-org3"} {
		if got := get(t, s, "host", `{.status.conditions[?(@.type=="Ready")].status}`, "line", line); got != "True" {
			t.Errorf("line %s is %s while org1's gateway is flooded: %s", line, got, get(t, s, "host", `{.status.conditions[?(@.type=="Ready")].message}`, "line", line))
		}
	}
	load.end()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d transactions failed, last: %v", failed, load.lastError.Load())
	}
	stop()
	helper.Wait()
	eventually(t, "all is well once it is over", isReady(t, s, "consortium", "trade"))
}

// TestFloodHelper is no test: gatewayFlooded runs it in org3's network.
func TestFloodHelper(t *testing.T) {
	to := os.Getenv(floodTo)
	if to == "" {
		t.Skip("run by gatewayFlooded")
	}
	near, far := net.Pipe()
	go func() {
		_ = tls.Client(near, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "peer0-org1.hanse-trade"}).Handshake() // nobody answers
	}()
	hello := make([]byte, 16<<10)
	n, err := far.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(floodTime)
	var all sync.WaitGroup
	for range floodConnections {
		all.Go(func() {
			for time.Now().Before(deadline) {
				conn, err := net.DialTimeout("tcp", to, 10*time.Second)
				if err == nil {
					_ = conn.SetDeadline(deadline)
					if _, err = conn.Write(hello[:n]); err == nil {
						_, _ = io.Copy(io.Discard, conn)
					}
					conn.Close()
				}
				time.Sleep(time.Second) // two cores have to do for the flood too
			}
		})
	}
	all.Wait()
}

// insideProbed has the host move a line's end to a Service and to a node of org1's own cluster, and looks for what org1
// tells: that it does not dial them, and nothing of what is there.
func insideProbed(t *testing.T, s *harness.Harness) {
	service := get(t, s, "org1", "{.spec.clusterIP}", "-n", "default", "service", "kubernetes")
	node := get(t, s, "org1", `{.items[0].status.addresses[?(@.type=="InternalIP")].address}`, "nodes")
	for _, inside := range []string{service, node} {
		if err := s.Apply(t.Context(), "host", probing(inside)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "org1 does not dial "+inside, expects(t, s, "host", "NotAllowed", `{.status.ends[?(@.from=="org1")].reason}`, "line", "probing"))
	}
	report := get(t, s, "host", "{.status.lines}", "member", "org1")
	for _, told := range []string{"refused", "certificate", "x509", "detail"} {
		if strings.Contains(report, told) {
			t.Errorf("the host reads %q in org1's report: %s", told, report)
		}
	}
	must2(t)(s.Kubectl(t.Context(), "host", "delete", "line", "probing"))
	eventually(t, "the consortium", isReady(t, s, "consortium", "trade"))
}

func probing(inside string) string {
	return fmt.Sprintf(`
apiVersion: federation.hanse.io/v1alpha1
kind: Line
metadata: {name: probing}
spec: {priority: 900, ends: [{member: org1, address: 10.200.255.9}, {member: org3, address: %s, port: 443}]}
`, inside)
}
