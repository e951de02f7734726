//go:build !linux

package splice

import "net"

func move(dst, src *net.TCPConn) (int64, error) { return dst.ReadFrom(src) }
