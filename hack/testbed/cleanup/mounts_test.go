package cleanup

import (
	"slices"
	"testing"
)

func TestMountsBelow(t *testing.T) {
	const mountinfo = `22 1 254:0 / / rw - ext4 /dev/vda rw
90 22 0:40 / /var/lib/testbed/trade/org1/kubelet rw - ext4 /dev/vda rw
91 90 0:41 / /var/lib/testbed/trade/org1/kubelet/pods/a\040b rw - tmpfs tmpfs rw
92 22 0:42 / /var/lib/testbed/trade-2/org1/kubelet rw - ext4 /dev/vda rw
short
`
	tests := []struct {
		why, dir string
		want     []string
	}{
		{"a testbed's mounts in their order, with blanks in names, without a neighbour's", "/var/lib/testbed/trade",
			[]string{"/var/lib/testbed/trade/org1/kubelet", "/var/lib/testbed/trade/org1/kubelet/pods/a b"}},
		{"the directory itself is not below itself", "/var/lib/testbed/trade/org1/kubelet",
			[]string{"/var/lib/testbed/trade/org1/kubelet/pods/a b"}},
		{"nothing is mounted there", "/srv", nil},
	}
	for _, tt := range tests {
		if got := mountsBelow(mountinfo, tt.dir); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q", tt.why, got)
		}
	}
}
