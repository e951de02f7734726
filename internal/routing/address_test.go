package routing

import "testing"

func TestCheckAddress(t *testing.T) {
	for _, c := range []struct {
		address, why string
		ok           bool
	}{
		{"10.20.30.40", "a private address is what a dedicated line has", true},
		{"203.0.113.7", "a public one", true},
		{"fd00::7", "a unique local one of IPv6", true},
		{"line.org2.example", "a DNS name", true},
		{"LINE.org2.example.", "an absolute one", true},
		{"127.0.0.1", "loopback", false},
		{"127.9.9.9", "all of 127/8 is loopback", false},
		{"::1", "loopback of IPv6", false},
		{"::ffff:127.0.0.1", "loopback in IPv6's clothes", false},
		{"0.0.0.0", "Linux takes it for loopback", false},
		{"0.1.2.3", "this network", false},
		{"::", "unspecified", false},
		{"169.254.169.254", "a cloud's metadata service", false},
		{"fe80::1", "link-local", false},
		{"fd00::7%eth0", "a zone means something on one machine only", false},
		{"224.0.0.1", "multicast", false},
		{"ff02::1", "multicast of IPv6", false},
		{"255.255.255.255", "broadcast", false},
		{"127.1", "some resolvers take it for 127.0.0.1", false},
		{"2130706433", "and this too", false},
		{"0x7f.0.0.0x1", "and this", false},
		{"localhost", "this machine", false},
		{"x.localhost", "this machine", false},
		{"kubernetes", "a single label goes by the search list", false},
		{"kubernetes.default.svc", "a Service", false},
		{"etcd.kube-system.svc.cluster.local", "a Service in full", false},
		{"etcd.kube-system.svc.other.example", "a Service of a cluster with another domain", false},
		{"10-0-0-1.default.pod.k8s.example", "a pod, by the cluster's domain", false},
		{"peer0-org1.hanse-trade", "a node's name", false},
		{"gateway.org1.hanse", "a name that is for certificates only", false},
		{"", "nothing", false},
		{"a b.example", "no name", false},
		{"a..example", "no name", false},
		{"10.0.0.1:7443", "the port goes elsewhere", false},
	} {
		if err := CheckAddress(c.address, 7443, "k8s.example"); (err == nil) != c.ok {
			t.Errorf("%q (%s): %v", c.address, c.why, err)
		}
	}
	for _, port := range []int32{0, -1, 65536} {
		if CheckAddress("10.0.0.1", port, "") == nil {
			t.Errorf("port %d was taken", port)
		}
	}
}
