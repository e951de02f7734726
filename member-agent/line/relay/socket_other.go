//go:build !linux

package relay

import (
	"net"
	"time"
)

// SetUserTimeout is for Linux only; elsewhere keep-alive probes have to do.
func SetUserTimeout(*net.TCPConn, time.Duration) error { return nil }

// Received is for Linux only; elsewhere bytes are counted once a connection has ended.
func Received(*net.TCPConn) int64 { return 0 }
