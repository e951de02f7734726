package gateway

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/probe"
	"github.com/hanse-io/hanse/internal/routing"
)

func TestAccess(t *testing.T) {
	own := []netip.Prefix{netip.MustParsePrefix("10.43.0.0/16"), netip.MustParsePrefix("192.168.0.10/32"), netip.MustParsePrefix("fd43::/112")}
	for _, c := range []struct {
		why         string
		allow, deny []string
		address, ip string
		ok          bool
	}{
		{"a private address is what a dedicated line has", nil, nil, "10.200.0.6", "10.200.0.6", true},
		{"a name, wherever it leads", nil, nil, "line.example.com", "203.0.113.9", true},
		{"a Service of this cluster", nil, nil, "10.43.0.1", "10.43.0.1", false},
		{"a name that leads to a Service", nil, nil, "line.example.com", "10.43.0.10", false},
		{"in IPv6's clothes", nil, nil, "line.example.com", "::ffff:10.43.0.10", false},
		{"of IPv6", nil, nil, "fd43::1", "fd43::1", false},
		{"a node", nil, nil, "192.168.0.10", "192.168.0.10", false},
		{"a neighbour of the node, where nothing is said", nil, nil, "192.168.0.11", "192.168.0.11", true},
		{"what is denied", nil, []string{"192.168.0.0/24"}, "192.168.0.11", "192.168.0.11", false},
		{"what is allowed", []string{"10.200.0.0/16"}, nil, "10.200.0.6", "10.200.0.6", true},
		{"what is not", []string{"10.200.0.0/16"}, nil, "192.168.0.11", "192.168.0.11", false},
		{"a name that leads to what is allowed", []string{"10.200.0.0/16"}, nil, "line.example.com", "10.200.0.6", true},
		{"a name that leads elsewhere", []string{"10.200.0.0/16"}, nil, "line.example.com", "192.168.0.11", false},
		{"a single address", []string{"203.0.113.9"}, nil, "203.0.113.9", "203.0.113.9", true},
		{"a name that is allowed", []string{"example.com"}, nil, "line.example.com.", "203.0.113.9", true},
		{"and leads into this cluster", []string{"example.com"}, nil, "line.example.com", "10.43.0.1", false},
		{"and to what is denied", []string{"example.com"}, []string{"203.0.113.0/24"}, "line.example.com", "203.0.113.9", false},
		{"a name that ends alike", []string{"example.com"}, nil, "evilexample.com", "203.0.113.9", false},
		{"allowing everything does not open this cluster", []string{"0.0.0.0/0"}, nil, "10.43.0.1", "10.43.0.1", false},
	} {
		a, err := parseAccess(c.allow, c.deny)
		must(t, err)
		err = a.check(c.address, netip.MustParseAddr(c.ip), own)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, probe.ErrNotAllowed) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestParseAccess(t *testing.T) {
	for _, c := range []struct {
		allow, deny, want string
	}{
		{"10.0.0.0/33", "", "10.0.0.0/33"},
		{"https://line.example.com", "", "https"},
		{"10.0.0.1:7443", "", "7443"},
		{"*.example.com", "", "example"},
		{"localhost", "", "localhost"},
		{"10.0.0", "", "10.0.0"},
		{"", "line.example.com", "line"},
		{"fe80::1%eth0", "", "fe80"},
	} {
		var allow, deny []string
		if c.allow != "" {
			allow = []string{c.allow}
		}
		if c.deny != "" {
			deny = []string{c.deny}
		}
		if _, err := parseAccess(allow, deny); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestOwnNetworksAreNotDialed has the cluster's own networks cover loopback, where all of this lives.
func TestOwnNetworksAreNotDialed(t *testing.T) {
	m := join(t, nil, nil)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	inside := m.routes
	inside.Own = []string{"127.0.0.0/8"}
	inside.Lines = []routing.Line{m.w1.line("l3", "b", 10), {Name: "l4", Member: "b", Address: "127.0.0.1", Port: 1, Problem: "a loopback address"}}
	m.a.applyRoutes(t, inside)
	for _, name := range []string{"l3", "l4"} {
		m.a.waitFor(t, name, v1alpha1.LineDown)
		if r := m.a.memory.reported(name); r.Reason != v1alpha1.LineNotAllowed || r.Detail == "" {
			t.Errorf("%+v, want it to be NotAllowed", r)
		}
	}
	// A name is asked about once it is resolved, and that is when it is dialed.
	err := m.a.checkFarEnd(routing.Line{Name: "l5", Member: "b", Address: "line.example.com"}, "127.0.0.1:7443")
	if !errors.Is(err, probe.ErrNotAllowed) {
		t.Errorf("a name that leads into the cluster was dialed: %v", err)
	}
	if conn, err := call(m.a.inside, nodeB, m.orgB); err == nil {
		conn.Close()
		t.Error("a connection goes over a line that is not allowed")
	}
}

// TestReportsDoNotTellPorts has lines lead to a closed port, an open one that is silent, one that speaks another protocol
// and a TLS server that is somebody else: what the host is told of them is the same.
func TestReportsDoNotTellPorts(t *testing.T) {
	org := newOrganization(t, "a")
	outsider := newOrganization(t, "c")
	open := func(say string) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		t.Cleanup(func() { ln.Close() })
		go func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				t.Cleanup(func() { conn.Close() })
				_, _ = conn.Write([]byte(say))
			}
		}()
		return ln.Addr().String()
	}
	ends := map[string]string{
		"closed": "127.0.0.1:1", "silent": open(""), "banner": open("SSH-2.0-OpenSSH\r\n"), "tls": startEcho(t, outsider, "intranet.example"),
	}
	for _, c := range []struct {
		why    string
		allow  []string
		reason map[string]v1alpha1.LineReason // where it is not Unreachable
	}{
		{"addresses that only the host has named", nil, nil},
		{"addresses that the organization itself allows", []string{"127.0.0.0/8"}, map[string]v1alpha1.LineReason{
			"tls": v1alpha1.LineNotAuthenticated, "banner": v1alpha1.LineNotAuthenticated,
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			p := startGateway(t, org, func(o *Options) { o.Allow = c.allow })
			r := routing.Routes{Member: "a", Roots: map[string]string{"a": org.root, "b": newOrganization(t, "b").root}}
			for name, end := range ends {
				to := netip.MustParseAddrPort(end)
				r.Lines = append(r.Lines, routing.Line{Name: name, Member: "b", Address: to.Addr().String(), Port: int32(to.Port())})
			}
			p.applyRoutes(t, r)
			for name := range ends {
				p.waitFor(t, name, v1alpha1.LineDown)
				want := c.reason[name]
				if want == "" {
					want = v1alpha1.LineUnreachable
				}
				eventually(t, name+" is "+string(want), func() bool { return p.memory.reported(name).Reason == want })
				r := p.memory.reported(name)
				if r.RTTMicroseconds != 0 || r.Reverse != v1alpha1.LineUnknown || r.Active || r.Detail == "" {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}
