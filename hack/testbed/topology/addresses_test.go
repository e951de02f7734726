package topology

import "testing"

func TestEnds(t *testing.T) {
	tests := []struct {
		why           string
		cidr          string
		number        int
		first, second string
	}{
		{"the first pair skips the network's own address", LineCIDR, 0, "10.200.0.1", "10.200.0.2"},
		{"the next pair is four further", LineCIDR, 1, "10.200.0.5", "10.200.0.6"},
		{"pairs run on into the third byte", LineCIDR, 64, "10.200.1.1", "10.200.1.2"},
		{"the last pair ends below the broadcast address", ManagementCIDR, Blocks - 1, "10.213.255.253", "10.213.255.254"},
		{"one more would be somebody else's network", ManagementCIDR, Blocks, "", ""},
		{"there is no pair before the first", LineCIDR, -1, "", ""},
		{"what is no network has no pairs", "10.200", 0, "", ""},
	}
	for _, tt := range tests {
		first, second, err := Ends(tt.cidr, tt.number)
		if tt.first == "" {
			if err == nil {
				t.Errorf("%s: got %s and %s, want an error", tt.why, first, second)
			}
			continue
		}
		if err != nil || first.String() != tt.first || second.String() != tt.second {
			t.Errorf("%s: got %s, %s, %v", tt.why, first, second, err)
		}
	}
}

func TestOwnsNamespace(t *testing.T) {
	tests := []struct {
		why, testbed, namespace string
		want                    bool
	}{
		{"a LAN", "trade", "trade.org1", true},
		{"a border", "trade", "trade.org12.border", true},
		{"a cluster of any name", "trade", "trade.hub", true},
		{"a testbed whose name begins with ours", "trade", "trade-two.org1", false},
		{"a testbed that is called like a cluster of ours", "trade", "trade-org1.org2", false},
		{"its border, too", "trade", "trade-org1.hub.border", false},
		{"a namespace of somebody's that begins like ours", "trade", "trade-vpn", false},
		{"what cannot be a cluster's name", "trade", "trade.site.vpn", false},
		{"a name that merely starts the same", "trade", "tradeorg1", false},
	}
	for _, tt := range tests {
		if got := OwnsNamespace(tt.testbed, tt.namespace); got != tt.want {
			t.Errorf("%s (%s of testbed %s): got %v", tt.why, tt.namespace, tt.testbed, got)
		}
	}
}

func TestValidateCluster(t *testing.T) {
	tests := []struct {
		why, name string
		ok        bool
	}{
		{"letters and a number", "org12", true},
		{"as long as fits into the name of an interface", "customer", true},
		{"one more does not", "customers", false},
		{"a hyphen would make the name of a line ambiguous", "org-1", false},
		{"a dot would make the name of a namespace ambiguous", "org.1", false},
		{"nothing", "", false},
		{"a digit first is no name of a host", "1org", false},
	}
	for _, tt := range tests {
		if err := ValidateCluster(tt.name); (err == nil) != tt.ok {
			t.Errorf("%s (%q): %v", tt.why, tt.name, err)
		}
	}
}

func TestValidateName(t *testing.T) {
	tests := []struct {
		why, name string
		ok        bool
	}{
		{"letters alone", "trade", true},
		{"digits and hyphens inside", "e2e-2", true},
		{"a path", "../etc", false},
		{"nothing", "", false},
		{"a dot would blur the names of pod networks", "a.b", false},
		{"a hyphen at the end would blur namespaces", "a-", false},
		{"longer than a namespace's name has room for", "abcdefghijklmnopqrstu", false},
	}
	for _, tt := range tests {
		if err := ValidateName(tt.name); (err == nil) != tt.ok {
			t.Errorf("%s (%q): %v", tt.why, tt.name, err)
		}
	}
}
