package splice

import (
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Idle connections are probed from keepIdle on, every keepInterval, keepCount times.
const (
	keepIdle     = 15
	keepInterval = 5
	keepCount    = 3
)

// KeepAlive has the kernel detect a lost peer: while nothing is sent, by keep-alive probes; while something is,
// by missing acknowledgements for userTimeout, unless that is zero. Set on a listener, it applies to accepted
// connections.
//
// With a userTimeout a connection also ends if its peer is up but reads nothing for that long.
func KeepAlive(c syscall.RawConn, userTimeout time.Duration) error {
	var set error
	option := func(fd uintptr, level, name, value int) {
		if set == nil {
			set = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), level, name, value))
		}
	}
	if err := c.Control(func(fd uintptr) {
		option(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		option(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, keepIdle)
		option(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, keepInterval)
		option(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepCount)
		if userTimeout > 0 {
			option(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
		}
	}); err != nil {
		return err
	}
	return set
}

// Received is the number of bytes received on a connection, zero if the kernel does not provide it.
func Received(c *net.TCPConn) int64 {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var n int64
	if err := raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = int64(info.Bytes_received)
		}
	}); err != nil {
		return 0
	}
	return n
}

// Silence is the time since the last data was received on a connection, zero if the kernel does not provide it.
func Silence(c *net.TCPConn) time.Duration {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var silence time.Duration
	if err := raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			silence = time.Duration(info.Last_data_recv) * time.Millisecond
		}
	}); err != nil {
		return 0
	}
	return silence
}
