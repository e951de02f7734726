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
		{"a LAN", "hanse", "hanse-org1", true},
		{"a border", "hanse", "hanse-org12-border", true},
		{"the host's border", "hanse", "hanse-host-border", true},
		{"a testbed whose name begins with ours", "hanse", "hanse-two-org1", false},
		{"a testbed that is called like a cluster of ours", "hanse", "hanse-org1-org2", false},
		{"its border, too", "hanse", "hanse-org1-host-border", false},
		{"a namespace of somebody's that begins like ours", "hanse", "hanse-vpn", false},
		{"a name that merely starts the same", "hanse", "hanseorg1", false},
	}
	for _, tt := range tests {
		if got := OwnsNamespace(tt.testbed, tt.namespace); got != tt.want {
			t.Errorf("%s (%s of testbed %s): got %v", tt.why, tt.namespace, tt.testbed, got)
		}
	}
}

func TestValidateName(t *testing.T) {
	tests := []struct {
		why, name string
		ok        bool
	}{
		{"the default", "hanse", true},
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
