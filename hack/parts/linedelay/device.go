package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Frames come with the header that tells the kernel which checksums are still to be made and where to cut what is larger
// than the MTU. It is handed on as it is, so that neither is done here.
const (
	vnetHeader = 10
	maxFrame   = vnetHeader + 14 + 1<<16
)

// openTap makes a TAP interface. It is gone when the file is closed. The kernel sends nothing of its own on it.
func openTap(name string, mtu int) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, err
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6); err != nil {
		return nil, fmt.Errorf("take large frames: %w", err)
	}
	setting := "/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6"
	if err := os.WriteFile(setting, []byte("1"), 0o600); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("keep IPv6 from announcing itself: %w", err)
	}
	if err := raise(name, mtu); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// raise sets an interface's MTU and brings it up.
func raise(name string, mtu int) error {
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(control)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	request.SetUint32(uint32(mtu)) //nolint:gosec // an interface's MTU
	if err := unix.IoctlIfreq(control, unix.SIOCSIFMTU, request); err != nil {
		return fmt.Errorf("set the MTU: %w", err)
	}
	if request, err = unix.NewIfreq(name); err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_NOARP)
	if err := unix.IoctlIfreq(control, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("bring it up: %w", err)
	}
	return nil
}

// line sends frames on an interface.
type line struct {
	socket int
	to     *unix.SockaddrLinklayer
}

// openLine opens an interface to send on, with a mark by which these frames are told from others.
func openLine(index, mark int) (line, error) {
	// Protocol 0: it receives nothing.
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return line{}, err
	}
	for _, option := range []struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_MARK, mark}, {unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1}, {unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 1 << 22},
	} {
		if err := unix.SetsockoptInt(socket, option.level, option.name, option.value); err != nil {
			return line{}, err
		}
	}
	return line{socket, &unix.SockaddrLinklayer{Ifindex: index}}, nil
}

// send sends a frame. What cannot be sent is lost: the line may be cut, and a line that is cut loses what it carries.
func (l line) send(frame []byte) { _ = unix.Sendto(l.socket, frame, 0, l.to) }
