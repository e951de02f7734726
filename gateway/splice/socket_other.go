//go:build !linux

package splice

import (
	"net"
	"syscall"
	"time"
)

// KeepAlive is for Linux only.
func KeepAlive(syscall.RawConn, time.Duration) error { return nil }

// Received is for Linux only; elsewhere bytes are counted once a connection has ended.
func Received(*net.TCPConn) int64 { return 0 }

// Silence is for Linux only; elsewhere nothing counts as idle.
func Silence(*net.TCPConn) time.Duration { return 0 }
