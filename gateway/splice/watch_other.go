//go:build !linux

package splice

import "net"

// watch is for Linux only; elsewhere every connection counts as established.
func watch(_, _ *net.TCPConn, r *records) (n int64, ended bool, err error) {
	r.spoken = true
	return 0, false, nil
}
