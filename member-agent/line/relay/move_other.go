//go:build !linux

package relay

import "net"

func move(dst, src *net.TCPConn) (int64, error) { return dst.ReadFrom(src) }
