// Command line-delay delays what leaves on one network interface, for kernels without netem. It makes a TAP interface;
// whoever wants frames delayed has nft forward them there instead (hook egress, all but those with this program's mark).
// Each comes out of the real interface after the delay, unchanged and in order: addresses, handshakes and every protocol
// are as they were, which no proxy leaves them.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	device := flag.String("interface", "", "the interface on which frames leave")
	tap := flag.String("tap", "", "the TAP interface to make, where frames to be delayed are taken")
	delay := flag.Duration("delay", 0, "how long each frame is kept")
	mark := flag.Int("mark", 0, "the mark of frames that have been delayed")
	flag.Parse()
	if err := run(*device, *tap, *delay, *mark); err != nil {
		fmt.Fprintln(os.Stderr, "line-delay:", err)
		os.Exit(1)
	}
}

func run(device, tap string, delay time.Duration, mark int) error {
	if device == "" || tap == "" || delay <= 0 || mark == 0 {
		return errors.New("--interface, --tap, --delay and --mark are needed")
	}
	line, err := net.InterfaceByName(device)
	if err != nil {
		return fmt.Errorf("%s: %w", device, err)
	}
	out, err := openLine(line.Index, mark)
	if err != nil {
		return fmt.Errorf("send on %s: %w", device, err)
	}
	in, err := openTap(tap, line.MTU)
	if err != nil {
		return fmt.Errorf("make the TAP interface %s: %w", tap, err)
	}
	q := newQueue(delay, out.send)
	go q.run()
	buffer := make([]byte, maxFrame)
	for {
		n, err := in.Read(buffer)
		if err != nil {
			return fmt.Errorf("read from %s: %w", tap, err)
		}
		q.add(bytes.Clone(buffer[:n]), time.Now())
	}
}
