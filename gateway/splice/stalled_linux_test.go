package splice

import (
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCloseEndsAStalledPair(t *testing.T) {
	j := join(t)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		block := make([]byte, 1<<20)
		for { // nobody reads at the other end, so that this comes to wait
			if _, err := j.client.Write(block); err != nil {
				return
			}
		}
	})
	for deadline := time.Now().Add(time.Minute); !stalled(t, j.pair.b); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the pair still gets rid of bytes that nobody reads")
		}
	}
	j.pair.Close()
	j.wait(t)
	tasks.Wait()
}

// stalled is whether nothing can be written to a connection because its far end takes nothing any more: there is no
// room, there are bytes that were never sent, and none are on their way whose arrival could change that.
func stalled(t *testing.T, c *net.TCPConn) (is bool) {
	t.Helper()
	raw, err := c.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) {
		room := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(room, 0)
		if err != nil || n > 0 {
			return
		}
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		is = err == nil && info.Unacked == 0 && info.Notsent_bytes > 0
	}))
	return is
}
