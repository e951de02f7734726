package testbed

import (
	"errors"
	"slices"
	"testing"
)

func TestCheckMachine(t *testing.T) {
	tests := []struct {
		why     string
		missing []string
		want    string
	}{
		{"a machine that has all", nil, ""},
		{"a package is named once for all its programs", []string{"containerd", "ctr"},
			"this machine lacks containerd, ctr: apt-get install -y containerd"},
		{"several packages in one line", []string{"nft", "runc"}, "this machine lacks runc, nft: apt-get install -y nftables runc"},
	}
	for _, tt := range tests {
		err := checkMachine(func(program string) error {
			if slices.Contains(tt.missing, program) {
				return errors.New("not found")
			}
			return nil
		})
		if got := ""; err != nil {
			if got = err.Error(); got != tt.want {
				t.Errorf("%s: got %q", tt.why, got)
			}
		} else if tt.want != "" {
			t.Errorf("%s: no error", tt.why)
		}
	}
}
