package baseline

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/internal/routing"
)

// HasHAProxy is whether it is installed.
func HasHAProxy() bool {
	_, err := exec.LookPath("haproxy")
	return err == nil
}

const haproxyFile = "haproxy.cfg"

const haproxyDefaults = `global
  maxconn 4000
defaults
  mode tcp
  option contstats
  timeout connect 2s
  timeout client 1h
  timeout server 1h
`

// haproxyRoutes are a gateway's routes at one of the nodes' ports, as HAProxy takes them: by the server name, without decrypting
// anything; over each member's first line. Its metrics are where a gateway's are.
func haproxyRoutes(r routing.Routes, number, port int) string {
	var out strings.Builder
	frontend := func(name, bind string, to map[string]string) {
		fmt.Fprintf(&out, `frontend %s-%d
  bind %s
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  tcp-request content reject
`, name, port, bind)
		hosts := slices.Sorted(maps.Keys(to))
		for _, host := range hosts {
			fmt.Fprintf(&out, "  use_backend %s-%s-%d if { req.ssl_sni -i %s }\n", name, host, port, host)
		}
		for _, host := range hosts {
			fmt.Fprintf(&out, "backend %s-%s-%d\n  server far %s\n", name, host, port, to[host])
		}
	}
	remote := map[string]string{}
	for host, member := range r.Remote {
		for _, line := range slices.Backward(r.Lines) {
			if line.Member == member {
				remote[host] = fmt.Sprintf("%s:%d", line.Address, line.Port)
			}
		}
	}
	frontend("inside", fmt.Sprintf("%s:%d", inside(number), port), remote)
	frontend("line", fmt.Sprintf("%s:%d", lineEnd(number), linePort(port)), r.Local)
	if port == ports[0] { // it tells of all frontends
		fmt.Fprintf(&out, "frontend metrics\n  mode http\n  bind %s:%d\n  http-request use-service prometheus-exporter if { path /metrics }\n", inside(number), metricsPort(port))
	}
	return out.String()
}

// startHAProxy runs one organization's HAProxy.
func (g *gateways) startHAProxy(dir string, _ int, _ Way) error {
	return g.run(exec.Command("haproxy", "-db", "-q", "-f", filepath.Join(dir, haproxyFile)))
}
