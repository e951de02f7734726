package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
)

// answerAll answers as a gateway does that finds the line up.
func answerAll(ctx context.Context, _ int, conn *tls.Conn) {
	_ = Answer(ctx, conn, "a", func(string, string) v1alpha1.LineState { return v1alpha1.LineUp }, func() bool { return true })
}

func TestAnswersMarkLineUp(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	f := startFar(t, b, a, answerAll)
	n := startNear(t, a, b, dialing(f.address))
	if got := n.next(); got.State != v1alpha1.LineUp || got.Reverse != v1alpha1.LineUp || !got.changed {
		t.Errorf("after the first answer: %+v", got)
	}
	for range 5 {
		n.interval()
		if got := n.next(); got.State != v1alpha1.LineUp || got.changed {
			t.Errorf("after another one: %+v", got)
		}
	}
}

func TestRoundTripIsMeasuredByTheClock(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	f := startFar(t, b, a, func(ctx context.Context, _ int, conn *tls.Conn) {
		var p ping
		if readFrame(conn, &p) != nil {
			return
		}
		asked <- struct{}{}
		<-answer
		_ = writeFrame(conn, pong{Nonce: p.Nonce, State: "Sideways"})
		<-ctx.Done()
	})
	n := startNear(t, a, b, dialing(f.address))
	receive(t, asked)
	n.clock.Step(7 * time.Millisecond)
	close(answer)
	if got := n.next(); got.RTT != 7*time.Millisecond || got.Reverse != v1alpha1.LineUnknown {
		t.Errorf("%+v, want 7ms, and nothing made of a state that there is not", got)
	}
}

// What is wrong with a far end comes out as a state and as a sentence. states are what is told in turn: at the start,
// and after each interval.
func TestFailureReasons(t *testing.T) {
	const unknown, down = v1alpha1.LineUnknown, v1alpha1.LineDown
	a, b, outsider := newAuthority(t), newAuthority(t), newAuthority(t)
	for _, row := range []struct {
		why            string
		dial           func(t *testing.T) func(context.Context) (net.Conn, error)
		start, seconds []v1alpha1.LineState // told at the start; told of each interval, until the last is down
		each           int                  // told of each interval
		says           string
	}{
		{why: "nobody listens: that takes as long to tell of a line that never was up as silence does", each: 2,
			dial:  func(*testing.T) func(context.Context) (net.Conn, error) { return dialing("127.0.0.1:1") },
			start: []v1alpha1.LineState{unknown}, seconds: []v1alpha1.LineState{unknown, unknown, unknown, unknown, down}, says: "connection refused"},
		{why: "somebody else answers", each: 2,
			dial: func(t *testing.T) func(context.Context) (net.Conn, error) {
				return dialing(startFar(t, outsider, a, answerAll).address)
			}, start: []v1alpha1.LineState{unknown}, seconds: []v1alpha1.LineState{unknown, unknown, unknown, unknown, down}, says: "does not prove who it is"},
		{why: "our certificate is not accepted, which TLS 1.3 tells after our side of the handshake", each: 2,
			dial: func(t *testing.T) func(context.Context) (net.Conn, error) {
				return dialing(startFar(t, b, outsider, answerAll).address)
			}, start: []v1alpha1.LineState{unknown}, seconds: []v1alpha1.LineState{unknown, unknown, unknown, unknown, down}, says: "does not accept us"},
		{why: "an attempt that runs out of time is no refusal: three intervals have to go by", each: 1,
			dial: func(*testing.T) func(context.Context) (net.Conn, error) {
				return func(context.Context) (net.Conn, error) { return nil, os.ErrDeadlineExceeded }
			}, seconds: []v1alpha1.LineState{unknown, unknown, down}, says: "does not answer"},
	} {
		t.Run(row.why, func(t *testing.T) {
			n := startNear(t, a, b, row.dial(t))
			var last report
			expect := func(want v1alpha1.LineState) {
				t.Helper()
				if last = n.next(); last.State != want {
					t.Fatalf("%+v, want %s", last, want)
				}
			}
			for _, want := range row.start {
				expect(want)
			}
			for i, want := range row.seconds {
				if i%row.each == 0 {
					n.interval()
				}
				expect(want)
			}
			if !last.changed || !strings.Contains(last.Message, row.says) {
				t.Errorf("%+v, want it to say %q", last, row.says)
			}
		})
	}
}

// A far end that is there, but silent, is a line that is down; the connection is given up, later than one that was answered on,
// and the next one may do better.
func TestTimeoutMarksDownAndRedials(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	for _, row := range []struct {
		why    string
		answer func(conn *tls.Conn, asked uint64) error
	}{
		{"nothing is answered", func(*tls.Conn, uint64) error { return nil }},
		{"what is answered was not asked", func(conn *tls.Conn, asked uint64) error {
			return writeFrame(conn, pong{Nonce: asked + 1, State: v1alpha1.LineUp})
		}},
	} {
		t.Run(row.why, func(t *testing.T) {
			asked := make(chan struct{}, 64)
			f := startFar(t, b, a, func(ctx context.Context, number int, conn *tls.Conn) {
				if number > 1 {
					answerAll(ctx, number, conn)
					return
				}
				for {
					var p ping
					if readFrame(conn, &p) != nil || row.answer(conn, p.Nonce) != nil {
						return
					}
					asked <- struct{}{}
				}
			})
			n := startNear(t, a, b, dialing(f.address))
			for i := range maxSilentAtFirst + 1 {
				want := v1alpha1.LineUnknown
				if i+1 >= health.MissesUntilDown {
					want = v1alpha1.LineDown
				}
				receive(t, asked)
				n.interval()
				if got := n.next(); got.State != want || got.changed != (i == 2) {
					t.Fatalf("after %d intervals: %+v", i+1, got)
				}
			}
			if got := n.next(); got.State != v1alpha1.LineUp || got.Message != "" {
				t.Errorf("over a second connection: %+v", got)
			}
		})
	}
}

// TestSilentGatewayOfSeveral: the far gateway that was asked has gone without a word. The line is up all the time: the next
// connection comes to another one.
func TestSilentGatewayOfSeveral(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	asked := make(chan struct{}, 64)
	f := startFar(t, b, a, func(ctx context.Context, number int, conn *tls.Conn) {
		if number > 1 {
			answerAll(ctx, number, conn)
			return
		}
		for first := true; ; first = false {
			var p ping
			if readFrame(conn, &p) != nil {
				return
			}
			if first {
				_ = writeFrame(conn, pong{Nonce: p.Nonce, State: v1alpha1.LineUp})
				continue
			}
			asked <- struct{}{}
		}
	})
	n := startNear(t, a, b, dialing(f.address))
	expect := func(why string) {
		t.Helper()
		if got := n.next(); got.State != v1alpha1.LineUp {
			t.Fatalf("%s: %+v", why, got)
		}
	}
	expect("the first answer")
	n.interval() // the next ping is the first that is not answered
	for i := range maxSilent {
		receive(t, asked)
		n.interval()
		expect(fmt.Sprintf("%d pings are not answered", i+1))
	}
	expect("another gateway answers")
	n.interval()
	expect("and goes on to")
}

// TestLongLine: a round trip of several intervals is no silence, neither at first nor later.
func TestLongLine(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	const intervals = 2 * maxSilent
	asked, connections := make(chan struct{}, 64), make(chan int, 64)
	f := startFar(t, b, a, func(_ context.Context, number int, conn *tls.Conn) {
		connections <- number
		var late []ping
		for {
			var p ping
			if readFrame(conn, &p) != nil {
				return
			}
			if late = append(late, p); len(late) > intervals {
				_ = writeFrame(conn, pong{Nonce: late[0].Nonce, State: v1alpha1.LineUp})
				late = late[1:]
			}
			asked <- struct{}{}
		}
	})
	n := startNear(t, a, b, dialing(f.address))
	for range intervals {
		receive(t, asked)
		n.interval()
		n.next()
	}
	for i := range 5 {
		if got := n.next(); got.State != v1alpha1.LineUp || got.RTT != intervals*Interval {
			t.Errorf("answer %d: %+v", i, got)
		}
		receive(t, asked)
		n.interval()
	}
	if len(connections) != 1 {
		t.Errorf("%d connections were made", len(connections))
	}
}

func TestClosedConnectionIsRedialed(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	f := startFar(t, b, a, func(ctx context.Context, number int, conn *tls.Conn) {
		if number > 1 {
			answerAll(ctx, number, conn)
			return
		}
		var p ping
		if readFrame(conn, &p) == nil {
			_ = writeFrame(conn, pong{Nonce: p.Nonce, State: v1alpha1.LineUp})
		}
	})
	n := startNear(t, a, b, dialing(f.address))
	for i := range 2 { // no interval goes by in between
		if got := n.next(); got.State != v1alpha1.LineUp || got.changed != (i == 0) {
			t.Errorf("answer %d: %+v", i+1, got)
		}
	}
}

func TestFailed(t *testing.T) {
	for _, row := range []struct {
		why     string
		err     error
		refusal bool
		says    string
		reason  v1alpha1.LineReason
	}{
		{"out of time", context.DeadlineExceeded, false, "check the network path of the line", v1alpha1.LineUnreachable},
		{"out of time in the handshake: it is the line that is slow, not the far end that refuses", &handshakeError{os.ErrDeadlineExceeded}, false, "check the network path of the line", v1alpha1.LineUnreachable},
		{"a handshake that failed", &handshakeError{errors.New("bad certificate")}, true, "bad certificate", v1alpha1.LineNotAuthenticated},
		{"nobody listens", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, true, "connection refused", v1alpha1.LineUnreachable},
		{"reset", fmt.Errorf("dial: %w", syscall.ECONNRESET), true, "connection refused", v1alpha1.LineUnreachable},
		{"no route is the network's answer, not the far end's", syscall.EHOSTUNREACH, false, "cannot be reached", v1alpha1.LineUnreachable},
		{"not allowed at home", &net.OpError{Op: "dial", Err: fmt.Errorf("%w: loopback", ErrNotAllowed)}, false, "loopback", v1alpha1.LineNotAllowed},
		{"the far root is not known", errors.New("the root of member b is not known yet"), false, "root of member b", v1alpha1.LineUnreachable},
	} {
		t.Run(row.why, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(time.Unix(1000, 0))
			refusals := 0
			p := &Prober{Clock: clock, line: health.New(clock.Now()), Changed: func(health.Snapshot, bool) { refusals++ }}
			p.onFailure(row.err)
			if refusals > 0 != row.refusal || !strings.Contains(p.why, row.says) || p.reason != row.reason {
				t.Errorf("refused %d times, %s because %q; want %v, %s, %q", refusals, p.reason, p.why, row.refusal, row.reason, row.says)
			}
		})
	}
}
