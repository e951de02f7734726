package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// answering runs Answer for member a at a far end, and gives a connection to it and what Answer returned.
func answering(t *testing.T, trusted func() bool) (*tls.Conn, <-chan error, *far) {
	t.Helper()
	a, b := newAuthority(t), newAuthority(t)
	ended := make(chan error, 1)
	f := startFar(t, b, a, func(ctx context.Context, _ int, conn *tls.Conn) {
		ended <- Answer(ctx, conn, "a", func(line, member string) v1alpha1.LineState {
			if line == "l1" && member == "a" {
				return v1alpha1.LineDown
			}
			return v1alpha1.LineUnknown
		}, trusted)
	})
	conn, err := tls.Dial("tcp", f.address, &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: "gateway.b.hanse", RootCAs: b.pool(), Certificates: []tls.Certificate{a.gateway(t, "gateway.a.hanse")},
	})
	must(t, err)
	t.Cleanup(func() { conn.NetConn().Close() })
	must(t, conn.SetDeadline(time.Now().Add(testTimeout)))
	return conn, ended, f
}

func TestAnswer(t *testing.T) {
	conn, ended, _ := answering(t, func() bool { return true })
	for _, row := range []struct {
		why  string
		ask  ping
		want v1alpha1.LineState
	}{
		{"a line that this end finds down", ping{"l1", 5}, v1alpha1.LineDown},
		{"a line that it does not know", ping{"l9", 6}, v1alpha1.LineUnknown},
		{"no line in particular", ping{"", 0}, v1alpha1.LineUnknown},
	} {
		var got pong
		must(t, writeFrame(conn, row.ask))
		must(t, readFrame(conn, &got))
		if got.Nonce != row.ask.Nonce || got.State != row.want {
			t.Errorf("%s: %+v", row.why, got)
		}
	}
	must(t, conn.Close())
	if err := receive(t, ended); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestAnswerEnds(t *testing.T) {
	for _, row := range []struct {
		why, sends string
		trusted    bool
		says       string
	}{
		{"what makes no sense", "\x00\x04nope", true, "invalid character"},
		{"a message longer than any", "\x40\x00", true, "longer than"},
		{"a root that is no longer the one", "\x00\x02{}", false, "root of member a"},
	} {
		t.Run(row.why, func(t *testing.T) {
			conn, ended, _ := answering(t, func() bool { return row.trusted })
			_, err := io.WriteString(conn, row.sends)
			must(t, err)
			if err := receive(t, ended); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want it to say %q", err, row.says)
			}
			if n, _ := conn.Read(make([]byte, 1)); n > 0 {
				t.Error("it was answered all the same")
			}
		})
	}
}

func TestAnswerEndsWithTheGateway(t *testing.T) {
	conn, ended, f := answering(t, func() bool { return true })
	must(t, writeFrame(conn, ping{"l1", 1}))
	must(t, readFrame(conn, &pong{}))
	f.close()
	if receive(t, ended) == nil {
		t.Error("it ended without a reason")
	}
}

// Trust is asked for at each answer, for a root may be replaced while a connection stands.
func TestTrustIsCheckedPerPing(t *testing.T) {
	var trusted atomic.Bool
	trusted.Store(true)
	conn, ended, _ := answering(t, trusted.Load)
	must(t, writeFrame(conn, ping{"l1", 1}))
	must(t, readFrame(conn, &pong{}))
	trusted.Store(false)
	must(t, writeFrame(conn, ping{"l1", 2}))
	if err := readFrame(conn, &pong{}); err == nil {
		t.Error("somebody was answered who is not trusted any more")
	}
	if receive(t, ended) == nil {
		t.Error("it ended without a reason")
	}
}

// Somebody who asks without end gets no more than so many answers in a second.
func TestPingsAreRateLimited(t *testing.T) {
	conn, _, f := answering(t, func() bool { return true })
	const asks = pingsPerSecond + 10
	began := time.Now()
	for i := range asks {
		must(t, writeFrame(conn, ping{"l1", uint64(i)}))
	}
	for range asks {
		must(t, readFrame(conn, &pong{}))
	}
	// Slower is as it pleases the machine; faster would be too fast.
	if took, least := time.Since(began), 10*time.Second/pingsPerSecond; took < least*9/10 {
		t.Errorf("%d answers took %v, want %v at the least", asks, took, least)
	}
	f.close()
}
