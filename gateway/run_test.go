package gateway

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
)

func get(t *testing.T, p *testGateway, path string) (int, string) {
	t.Helper()
	response, err := http.Get("http://" + p.web + path)
	must(t, err)
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(body)
}

func TestHealthAndMetrics(t *testing.T) {
	org := newOrganization(t, "a")
	p := startGateway(t, org, nil)
	if status, body := get(t, p, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, routing.RoutesConfigMap) {
		t.Errorf("ready without routes, or without a word on why not: %d %s", status, body)
	}
	if status, _ := get(t, p, "/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	p.applyRoutes(t, routing.Routes{Member: "a", Lines: []routing.Line{{Name: "l1", Member: "b", Address: "127.0.0.1", Port: 1}}})
	if status, _ := get(t, p, "/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d", status)
	}
	_, body := get(t, p, "/metrics")
	for _, want := range []string{
		`hanse_line_up{line="l1",member="b"} 0`,
		`hanse_line_rtt_seconds{line="l1",member="b"} 0`,
		`hanse_gateway_connections{direction="inward"} 0`,
		`hanse_gateway_bytes_total{direction="outward"} 0`,
		`hanse_gateway_refused_total{reason="too_many"} 0`,
		`hanse_line_failovers_total 0`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	// Without the far member's root nothing can be proven, so nothing is tried.
	eventually(t, "the report says what the line waits for", func() bool {
		r := p.memory.reported("l1")
		return r.State == v1alpha1.LineUnknown && r.Reason == v1alpha1.LineNotProbed && strings.Contains(r.Detail, "root of member b")
	})
}

func TestRefusedRoutesChangeNothing(t *testing.T) {
	p := startGateway(t, newOrganization(t, "a"), nil)
	p.applyRoutes(t, routing.Routes{Member: "a", Local: map[string]string{nodeA: "127.0.0.1:1"}})
	for _, text := range []string{"", "{", `{"local":{}}`, "[]"} {
		p.setRoutes(t.Context(), []byte(text))
		if p.table.Load().routes.Local[nodeA] == "" {
			t.Errorf("%q took the routes away", text)
		}
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	certs := t.TempDir()
	newOrganization(t, "a").mount(t, certs)
	for _, c := range []struct {
		why    string
		change func(*Options)
		want   string
	}{
		{"no source", func(o *Options) { o.Source = nil }, "Source"},
		{"limits that protect nobody", func(o *Options) { o.Limits = Limits{Connections: 100, ConnectionsPerSource: 100} }, "--max-connections-per-source"},
		{"half-open ones", func(o *Options) { o.Limits = Limits{HalfOpen: 10, HalfOpenPerSource: 9} }, "--max-half-open-per-source"},
		{"no number", func(o *Options) { o.Limits.Connections = -1 }, "1 at least"},
		{"no network to allow", func(o *Options) { o.Allow = []string{"10.0.0.0/33"} }, "--line-allow"},
		{"no network to deny", func(o *Options) { o.Deny = []string{"lines.example.com"} }, "--line-deny"},
		{"no certificate", func(o *Options) { o.CertDir = t.TempDir() }, "tls.crt"},
		{"a port that is taken", func(o *Options) { o.LineAddress = taken.Addr().String() }, "--line-address"},
	} {
		o := DefaultOptions()
		o.InsideAddress, o.LineAddress, o.MetricsAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
		o.CertDir, o.Source, o.Sink = certs, newMemorySource(), newMemorySource()
		c.change(&o)
		ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
		if err := Run(ctx, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.why, err)
		}
		cancel()
	}
}

func TestFlags(t *testing.T) {
	o := DefaultOptions()
	f := pflag.NewFlagSet("gateway", pflag.ContinueOnError)
	o.AddFlags(f)
	must(t, f.Parse([]string{"--line-address=:1", "--hello-timeout=1s", "--max-connections=7"}))
	if o.LineAddress != ":1" || o.HelloTimeout != time.Second || o.Limits.Connections != 7 || o.InsideAddress != ":8443" {
		t.Errorf("%+v", o)
	}
}

// TestNameThatResolvesInward has a line whose name leads to loopback, which the tables cannot know.
func TestNameThatResolvesInward(t *testing.T) {
	p := startGateway(t, newOrganization(t, "a"), func(o *Options) { o.lineAllowed = routing.CheckIP })
	conn, err := p.dialLine(t.Context(), routing.Line{Name: "l", Member: "b", Address: "127.0.0.1", Port: 7443})
	if err == nil {
		conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("a line's end was dialed at loopback: %v", err)
	}
}

func TestLineNamesAreAbsolute(t *testing.T) {
	for address, want := range map[string]string{
		"10.0.0.1": "10.0.0.1:7443", "fd00::1": "[fd00::1]:7443",
		"line.example": "line.example.:7443", "line.example.": "line.example.:7443",
	} {
		if got := farEnd(routing.Line{Address: address, Port: 7443}); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestProbesOfOneMemberAreBounded(t *testing.T) {
	m := join(t, nil, nil)
	pair := m.orgB.pair(t, v1alpha1.GatewayServerName("b"))
	before := m.a.metric(t, "hanse_gateway_refused_total", "reason", rejectedTooMany)
	for range maxProbes + 5 {
		conn, err := tls.Dial("tcp", m.a.line, &tls.Config{
			MinVersion: tls.VersionTLS13, ServerName: v1alpha1.GatewayServerName("a"), RootCAs: m.orgA.pool(), Certificates: []tls.Certificate{pair},
		})
		must(t, err)
		defer conn.Close()
	}
	eventually(t, "those beyond the bound are refused", func() bool {
		return m.a.metric(t, "hanse_gateway_refused_total", "reason", rejectedTooMany) >= before+5
	})
}
