package invite

import "testing"

func TestUnreachable(t *testing.T) {
	for _, row := range []struct {
		why, server string
		useless     bool
	}{
		{"kind and minikube write loopback", "https://127.0.0.1:41237", true},
		{"loopback of IPv6", "https://[::1]:6443", true},
		{"any address is none", "https://0.0.0.0:6443", true},
		{"a name for loopback", "https://localhost:6443", true},
		{"Docker's name for the machine", "https://host.docker.internal:6443", true},
		{"the API server's Service", "https://10.43.0.1:443", true},
		{"its name", "https://kubernetes.default.svc", true},
		{"its short name", "https://kubernetes.default", true},
		{"its long name", "https://kubernetes.default.svc.cluster.local.:443", true},
		{"an address without a router", "https://169.254.169.254", true},
		{"a private address may be what a dedicated line leads to", "https://10.200.0.1:6443", false},
		{"a public address", "https://203.0.113.10:6443", false},
		{"a name", "https://host.example.com:6443", false},
	} {
		if why := unreachable(row.server, []string{"10.43.0.1"}); (why != "") != row.useless {
			t.Errorf("%s: %s: %q", row.why, row.server, why)
		}
	}
}
