package mux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hanse-io/hanse/internal/leak"
)

// TestMain checks that nothing goes on once every session has ended.
func TestMain(m *testing.M) { leak.Main(m) }

// pair is the two ends of a TCP connection.
func pair(t testing.TB) (dialled, accepted net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if dialled, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if accepted, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = dialled.Close(), accepted.Close() })
	return dialled, accepted
}

// server is a session over a connection, whose streams are sent to the channel.
func server(t testing.TB, conn net.Conn) (*Session, <-chan Stream) {
	t.Helper()
	s, err := Server(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	streams := make(chan Stream, 1<<10)
	go func() {
		for {
			stream, err := s.Accept()
			if err != nil {
				return
			}
			streams <- stream
		}
	}()
	return s, streams
}

func sessions(t testing.TB) (*Session, *Session, <-chan Stream) {
	t.Helper()
	dialled, accepted := pair(t)
	client, err := Client(dialled)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s, streams := server(t, accepted)
	return client, s, streams
}

// open is a new stream, at both ends.
func open(t testing.TB, client *Session, streams <-chan Stream) (Stream, Stream) {
	t.Helper()
	dialled, err := client.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	accepted := <-streams
	for _, s := range []Stream{dialled, accepted} {
		if err := s.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	return dialled, accepted
}

func TestStreamsCarryDataBothWays(t *testing.T) {
	client, _, streams := sessions(t)
	dialled, accepted := open(t, client, streams)
	for _, way := range []struct{ from, to Stream }{{dialled, accepted}, {accepted, dialled}} {
		// More than a piece, and than a window.
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<15)
		go func() { _, _ = way.from.Write(sent) }()
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("other bytes have come: %v", err)
		}
	}
	if !client.Received().After(time.Now().Add(-time.Minute)) {
		t.Error("nothing is said to have come")
	}
}

func TestUnreadStreamHoldsUpNoOther(t *testing.T) {
	client, s, streams := sessions(t)
	flood, unread := open(t, client, streams)
	stuck := make(chan int, 1)
	go func() {
		n, _ := flood.Write(make([]byte, 16*Window))
		stuck <- n
	}()
	dialled, accepted := open(t, client, streams)
	for range 100 {
		if _, err := dialled.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(accepted, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	_ = flood.Close()
	if n := <-stuck; n > Window {
		t.Errorf("%d bytes were taken of a stream that nobody reads", n)
	}
	_ = unread.Close()
	if s.Streams() == 0 {
		t.Error("the session counts no streams")
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	client, _, streams := sessions(t)
	dialled, accepted := open(t, client, streams)
	waits := make(chan error, 1)
	go func() {
		_, err := dialled.Read(make([]byte, 1))
		waits <- err
	}()
	_ = dialled.Close()
	if err := <-waits; err == nil {
		t.Error("a read on a closed stream has succeeded")
	}
	if _, err := accepted.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the other side reads %v instead of the end", err)
	}
	if _, err := dialled.Write([]byte("x")); err == nil {
		t.Error("a closed stream was written")
	}
}

func TestEnded(t *testing.T) {
	client, _, streams := sessions(t)
	dialled, accepted := open(t, client, streams)
	if dialled.Ended() {
		t.Error("an open stream has ended")
	}
	_ = accepted.Close()
	limit, ticker := time.After(time.Minute), time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for !dialled.Ended() {
		select {
		case <-ticker.C:
		case <-limit:
			t.Fatal("a stream that the other side has closed has not ended")
		}
	}
}

func TestSessionEndsWithItsConnection(t *testing.T) {
	for _, row := range []struct {
		why string
		end func(client, server *Session)
	}{
		{"closed by who dialled", func(client, _ *Session) { client.Close() }},
		{"closed by who accepted", func(_, server *Session) { server.Close() }},
		{"the network's end", func(client, _ *Session) { _ = client.conn.Close() }},
	} {
		t.Run(row.why, func(t *testing.T) {
			client, s, streams := sessions(t)
			dialled, accepted := open(t, client, streams)
			row.end(client, s)
			<-client.Done()
			<-s.Done()
			for _, stream := range []Stream{dialled, accepted} {
				if _, err := io.ReadFull(stream, make([]byte, 1)); err == nil {
					t.Error("a stream has outlived its session")
				}
			}
			if _, err := client.Open(t.Context()); err == nil {
				t.Error("a stream was opened afterwards")
			}
		})
	}
}

// TestHangingConnectionEnds: what is written into a connection that takes nothing ends the session, for all streams.
func TestHangingConnectionEnds(t *testing.T) {
	t.Parallel()
	dialled, _ := net.Pipe() // nobody reads
	client, err := Client(dialled)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Open(t.Context()); err == nil {
		t.Error("a stream was opened on a connection that takes nothing")
	}
	<-client.Done()
}

func TestOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dialled, _ := net.Pipe() // nobody reads
	client, err := Client(dialled)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := client.Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v instead of the context's end", err)
	}
}

// TestUnacceptedStreamsWait: more streams than the other side has room for are not lost.
func TestUnacceptedStreamsWait(t *testing.T) {
	dialled, accepted := pair(t)
	client, err := Client(dialled)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s, err := Server(accepted)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const many = 3 * backlog
	opened := make(chan error, many)
	for range many {
		go func() {
			_, err := client.Open(context.Background())
			opened <- err
		}()
	}
	for range many {
		if _, err := s.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	for range many {
		if err := <-opened; err != nil {
			t.Fatal(err)
		}
	}
}
