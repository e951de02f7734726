package mux

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// frame is a header of yamux with as much content as it says.
func frame(kind byte, flags uint16, id, length uint32) []byte {
	f := binary.BigEndian.AppendUint16([]byte{0, kind}, flags)
	f = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(f, id), length)
	if kind == typeData && length <= Window {
		f = append(f, make([]byte, length)...)
	}
	return f
}

// frameRows are what another side may send, or not.
var frameRows = []struct {
	why     string
	accepts bool // whether it is the accepting side that reads it
	frame   []byte
	ok      bool
}{
	{"a stream is opened", true, frame(typeWindow, flagSYN, 1, 0), true},
	{"with data at once", true, frame(typeData, flagSYN, 1, 5), true},
	{"data", true, frame(typeData, 0, 1, 5), true},
	{"a whole window", true, frame(typeData, 0, 1, Window), true},
	{"a closed stream", true, frame(typeWindow, flagFIN, 1, 0), true},
	{"a stream is accepted", false, frame(typeWindow, flagACK, 1, 0), true},
	{"a stream is refused", false, frame(typeWindow, flagRST, 1, 0), true},
	{"the other side gives up", false, frame(typeGoAway, 0, 0, 1), true},
	{"a ping, which would take a goroutine to answer", true, frame(typePing, flagSYN, 0, 1), false},
	{"an answer to a ping", false, frame(typePing, flagACK, 0, 1), false},
	{"a stream that the accepting side opens", false, frame(typeWindow, flagSYN, 1, 0), false},
	{"a stream that the dialling side accepts", true, frame(typeWindow, flagACK, 1, 0), false},
	{"a stream of the accepting side's numbers", true, frame(typeWindow, flagSYN, 2, 0), false},
	{"a stream without a number", true, frame(typeData, 0, 0, 5), false},
	{"more than a window", true, frame(typeData, 0, 1, Window+1), false},
	{"a window without end", true, frame(typeWindow, 0, 1, 1<<31), false},
	{"flags to come", true, frame(typeWindow, 1<<7, 1, 0), false},
	{"a type to come", true, frame(9, 0, 1, 0), false},
	{"a version to come", true, append([]byte{1}, frame(typeData, 0, 1, 0)[1:]...), false},
	{"a goodbye with flags", true, frame(typeGoAway, flagSYN, 0, 0), false},
}

func TestFilterReads(t *testing.T) {
	for _, row := range frameRows {
		t.Run(row.why, func(t *testing.T) {
			// Whole, byte by byte, and after another frame.
			for _, size := range []int{1 << 20, 1} {
				f := newFilter(nil, row.accepts)
				all := append(frame(typeData, 0, 3, 7), row.frame...)
				var err error
				for len(all) > 0 && err == nil {
					n := min(size, len(all))
					err = f.check(all[:n])
					all = all[n:]
				}
				if (err == nil) != row.ok || (err != nil && !errors.Is(err, ErrFrame)) {
					t.Errorf("in pieces of %d: %v", size, err)
				}
			}
		})
	}
}

// recorder has what was written, one by one.
type recorder struct {
	net.Conn
	writes [][]byte
}

func (r *recorder) Write(p []byte) (int, error) {
	r.writes = append(r.writes, bytes.Clone(p))
	return len(p), nil
}

func TestFilterWritesFramesWhole(t *testing.T) {
	r := &recorder{}
	f := newFilter(r, false)
	data, window := frame(typeData, 0, 1, 5), frame(typeWindow, flagSYN, 1, 0)
	for _, p := range [][]byte{window, data[:headerSize], data[headerSize:], frame(typeData, flagFIN, 1, 0), data[:headerSize], data[headerSize:]} {
		if n, err := f.Write(p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
	want := [][]byte{window, data, frame(typeData, flagFIN, 1, 0), data}
	if len(r.writes) != len(want) {
		t.Fatalf("%d writes, want %d", len(r.writes), len(want))
	}
	for i := range want {
		if !bytes.Equal(r.writes[i], want[i]) {
			t.Errorf("write %d: %x", i, r.writes[i])
		}
	}
}

// TestHostileFramesEndTheSession sends what no honest side does to a session.
func TestHostileFramesEndTheSession(t *testing.T) {
	for _, row := range frameRows {
		if row.ok || !row.accepts {
			continue
		}
		t.Run(row.why, func(t *testing.T) {
			dialled, accepted := pair(t)
			s, _ := server(t, accepted)
			if _, err := dialled.Write(append(frame(typeWindow, flagSYN, 1, 0), row.frame...)); err != nil {
				t.Fatal(err)
			}
			<-s.Done()
		})
	}
}

// TestFloodsTakeNoMemory: whoever sends without reading what is answered is held up, or disconnected, and does not make the
// other side store more and more.
func TestFloodsTakeNoMemory(t *testing.T) {
	for _, row := range []struct {
		why   string
		frame func(i uint32) []byte
	}{
		{"streams that are opened", func(i uint32) []byte { return frame(typeWindow, flagSYN, 2*i+1, 0) }},
		{"streams that are opened and closed", func(i uint32) []byte { return frame(typeWindow, flagSYN|flagFIN, 2*i+1, 0) }},
		{"data for no stream", func(i uint32) []byte { return frame(typeData, 0, 2*i+1, 100) }},
		{"windows", func(uint32) []byte { return frame(typeWindow, 0, 1, Window) }},
	} {
		t.Run(row.why, func(t *testing.T) {
			dialled, accepted := pair(t)
			s, err := Server(accepted) // accepts nothing
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			before := runtime.NumGoroutine()
			if err := dialled.SetDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			var batch []byte
			for i := uint32(0); i < 1<<20; i++ {
				if batch = append(batch, row.frame(i)...); len(batch) < 64<<10 {
					continue
				}
				if _, err := dialled.Write(batch); err != nil {
					break
				}
				batch = batch[:0]
			}
			if n := s.Streams(); n > backlog {
				t.Errorf("%d streams are kept", n)
			}
			if n := runtime.NumGoroutine() - before; n > 10 {
				t.Errorf("%d goroutines more", n)
			}
		})
	}
}

// FuzzServer feeds a session with bytes. It ends with the connection, whatever they are.
func FuzzServer(f *testing.F) {
	for _, row := range frameRows {
		f.Add(append(frame(typeWindow, flagSYN, 1, 0), row.frame...))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		dialled, accepted := net.Pipe()
		s, err := Server(accepted)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				stream, err := s.Accept()
				if err != nil {
					return
				}
				_ = stream.SetDeadline(time.Now())
				_, _ = io.Copy(io.Discard, stream)
				_ = stream.Close()
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, dialled) }()
		_, _ = dialled.Write(sent)
		_ = dialled.Close()
		<-s.Done()
		<-ended
	})
}

// FuzzFilter checks that pieces make no difference.
func FuzzFilter(f *testing.F) {
	for _, row := range frameRows {
		f.Add(row.frame, row.accepts, 7)
	}
	f.Fuzz(func(t *testing.T, sent []byte, accepts bool, cut int) {
		whole, parts := newFilter(nil, accepts), newFilter(nil, accepts)
		want := whole.check(sent)
		at := min(max(cut, 0), len(sent))
		got := parts.check(sent[:at])
		if got == nil {
			got = parts.check(sent[at:])
		}
		if (got == nil) != (want == nil) {
			t.Fatalf("%v in pieces, %v whole", got, want)
		}
		if len(whole.header) > headerSize {
			t.Fatalf("%d bytes of a header are kept", len(whole.header))
		}
	})
}
