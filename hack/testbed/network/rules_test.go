package network

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func TestBorderRules(t *testing.T) {
	f := &topology.Testbed{Name: "trade", Allow: []project.Port{
		{Port: 7443, NodePort: 30443}, {Port: 6443, NodePort: topology.APIPort, Clusters: []string{"hub"}},
	}}
	links := []topology.Link{{A: "org1", B: "hub"}, {A: "org1", B: "org2", Index: 2}, {A: "org2", B: "hub"}}
	if err := f.Grow([]string{"hub", "org1", "org2"}, links, func(int) bool { return false }); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		why, cluster, rule string
		want               bool
	}{
		{"a port that is allowed everywhere leaves on a line", "org1", `iifname "lan0" oifname "line-org2" tcp dport { 7443 } accept`, true},
		{"on the second line too", "org1", `iifname "lan0" oifname "line-org2-2" tcp dport { 7443 } accept`, true},
		{"a port of one cluster leaves on the line to that cluster", "org1", `oifname "line-hub" tcp dport { 7443, 6443 } accept`, true},
		{"it leaves on no other line", "org1", `oifname "line-org2" tcp dport { 7443, 6443 }`, false},
		{"a line's own end leads to the node port", "org1",
			`iifname "line-org2" ip daddr 10.200.0.5 tcp dport 7443 dnat to 192.168.0.10:30443`, true},
		{"that cluster's end leads to its API", "hub",
			`iifname "line-org1" ip daddr 10.200.0.2 tcp dport 6443 dnat to 192.168.0.10:6443`, true},
		{"the API of the others is for nobody on a line", "org1", "dnat to 192.168.0.10:6443", false},
		{"what a line brings in without translation goes no further", "org1",
			`iifname "line-org2" oifname "lan0" ct status dnat accept`, true},
		{"a border relays from no line to another", "org1", `iifname "line-org2" oifname "line-hub"`, false},
		{"forwarding is off by default", "org1", "hook forward priority filter; policy drop", true},
		{"a line's address is seen on the LAN, so that lines can be told apart there", "org1", `oifname "lan0" masquerade`, false},
		{"the LAN's addresses stay at home", "org1", `oifname "line-*" masquerade`, true},
	}
	for _, tt := range tests {
		if got := strings.Contains(BorderRules(f, tt.cluster), tt.rule); got != tt.want {
			t.Errorf("%s: %q in the rules of %s: %v", tt.why, tt.rule, tt.cluster, got)
		}
	}
}

func TestTBFRate(t *testing.T) {
	tests := []struct{ why, shown, want string }{
		{"a slowed line", "qdisc tbf 8001: root refcnt 2 rate 10Mbit burst 64Kb lat 400ms \n", "10Mbit"},
		{"a line at full speed", "qdisc noqueue 0: root refcnt 2 \n", ""},
		{"nothing at all", "", ""},
	}
	for _, tt := range tests {
		if got := tbfRate(tt.shown); got != tt.want {
			t.Errorf("%s: got %q", tt.why, got)
		}
	}
}

func TestDelayOf(t *testing.T) {
	tests := []struct{ why, shown, want string }{
		{"a delayed line", `5: line-org2@if2: <BROADCAST,UP> mtu 1500 state UP \    link/ether 1:2 brd f:f link-netns b\    alias delay=20ms`, "20ms"},
		{"a line without delay", `5: line-org2@if2: <BROADCAST,UP> mtu 1500 state UP \    link/ether 1:2 brd f:f link-netns b`, ""},
		{"somebody else's alias", `5: x: <UP> \    alias 20ms`, ""},
		{"nothing at all", "", ""},
	}
	for _, tt := range tests {
		if got := delayOf(tt.shown); got != tt.want {
			t.Errorf("%s: got %q", tt.why, got)
		}
	}
}

func TestAliased(t *testing.T) {
	const shown = `[{"ifname":"testbed0","ifalias":"testbed/trade/hub"},{"ifname":"testbed1","ifalias":"testbed/trade-2/hub"},{"ifname":"veth0"}]`
	got, err := aliased(shown, topology.AliasPrefix("trade"))
	if err != nil || len(got) != 1 || got[0] != "testbed0" {
		t.Errorf("a testbed's interfaces are told from its neighbour's by the alias: %v, %v", got, err)
	}
	if got, err := aliased("", "x"); err != nil || got != nil {
		t.Errorf("a machine without veth pairs has none of ours: %v, %v", got, err)
	}
}
