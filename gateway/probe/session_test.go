package probe

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestAnswered(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for _, row := range []struct {
		why   string
		sent  map[uint64]int // nonce and when, in ms
		nonce uint64
		at    int
		rtt   time.Duration
		ok    bool
		left  int
	}{
		{"the one that was asked", map[uint64]int{1: 0}, 1, 12, 12 * time.Millisecond, true, 0},
		{"an answer that nobody asked for", map[uint64]int{1: 0}, 2, 12, 0, false, 1},
		{"earlier ones are answered late or never", map[uint64]int{1: 0, 2: 1000, 3: 2000}, 2, 1005, 5 * time.Millisecond, true, 1},
		{"a late answer leaves those that were asked since", map[uint64]int{1: 0, 2: 1000}, 1, 1500, 1500 * time.Millisecond, true, 1},
		{"a clock that was set back makes no time negative", map[uint64]int{1: 500}, 1, 0, 0, true, 0},
		{"nothing was asked", nil, 1, 0, 0, false, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			s := &session{sent: map[uint64]time.Time{}}
			for nonce, when := range row.sent {
				s.sent[nonce] = at(when)
			}
			rtt, ok := s.onPong(row.nonce, at(row.at))
			if rtt != row.rtt || ok != row.ok || len(s.sent) != row.left {
				t.Errorf("%v, %v, %d still to be answered", rtt, ok, len(s.sent))
			}
			if _, again := s.onPong(row.nonce, at(row.at)); again {
				t.Error("the same answer counts twice")
			}
		})
	}
}

func TestFrames(t *testing.T) {
	for _, row := range []struct {
		why, wire string
		ok        bool
	}{
		{"a message", "\x00\x11" + `{"nonce":7,"x":1}`, true},
		{"what comes after it is not looked at", "\x00\x0b" + `{"nonce":7}more`, true},
		{"nothing", "", false},
		{"half a length", "\x00", false},
		{"a message cut short", "\x00\x0b" + `{"nonce":`, false},
		{"longer than any", "\x02\x01" + strings.Repeat(" ", 513), false},
		{"an empty one", "\x00\x00", false},
		{"no JSON", "\x00\x04nope", false},
		{"another type", "\x00\x0d" + `{"nonce":"7"}`, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			var p pong
			if err := readFrame(strings.NewReader(row.wire), &p); (err == nil) != row.ok || row.ok && p.Nonce != 7 {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	var wire bytes.Buffer
	if err := writeFrame(&wire, ping{Line: strings.Repeat("x", maxFrame)}); err == nil || wire.Len() > 0 {
		t.Error("a message was sent that the far end would not read")
	}
	want := ping{Line: strings.Repeat("l", 253), Nonce: 1<<64 - 1} // the longest name there is
	var got ping
	must(t, writeFrame(&wire, want))
	must(t, readFrame(&wire, &got))
	if got != want {
		t.Errorf("%+v came back", got)
	}
}

func TestValidState(t *testing.T) {
	for said, want := range map[v1alpha1.LineState]v1alpha1.LineState{
		v1alpha1.LineUp: v1alpha1.LineUp, v1alpha1.LineDown: v1alpha1.LineDown, v1alpha1.LineUnknown: v1alpha1.LineUnknown,
		"": v1alpha1.LineUnknown, "up": v1alpha1.LineUnknown,
	} {
		if got := validState(said); got != want {
			t.Errorf("%q counts as %s, want %s", said, got, want)
		}
	}
}

// FuzzFrame reads what a far end might send.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x0b{\"nonce\":7}"))
	f.Add([]byte("\xff\xff"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var asked ping
		if readFrame(bytes.NewReader(wire), &asked) == nil && len(asked.Line) > maxFrame {
			t.Fatalf("a name of %d bytes came out of a message of %d at the most", len(asked.Line), maxFrame)
		}
		var answer pong
		if readFrame(bytes.NewReader(wire), &answer) == nil {
			_ = validState(answer.State)
		}
	})
}
