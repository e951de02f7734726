package sni

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
)

// FuzzServerName holds the parser against crypto/tls: where both find a name it is the same one, and no name is found
// in what crypto/tls does not take for a ClientHello of that name. Nothing may panic, and no more is ever asked for than
// MaxBytes.
func FuzzServerName(f *testing.F) {
	for _, name := range []string{"a", "peer0-b.hanse-trade", "10.0.0.1", "gateway.b.hanse"} {
		hello := real(f, name)
		f.Add(hello)
		f.Add(split(hello, 128))
		f.Add(hello[:len(hello)/2])
	}
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		name, need, err := ServerName(b)
		if !bytes.Equal(b, before) {
			t.Fatal("the input was changed")
		}
		if need > 0 && (need <= len(b) || need > MaxBytes || err != nil || name != "") {
			t.Fatalf("of %d bytes: %q, need %d, %v", len(b), name, need, err)
		}
		if name == "" {
			return
		}
		if theirs, ok := oracle(b); ok && strings.ToLower(theirs) != name {
			t.Fatalf("we read %q, crypto/tls reads %q", name, theirs)
		}
	})
}

// oracle is the name that crypto/tls reads, if it takes b for a ClientHello at all.
func oracle(b []byte) (name string, ok bool) {
	_ = tls.Server(&script{Reader: bytes.NewReader(b)}, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			name, ok = h.ServerName, true
			return nil, io.EOF
		},
	}).Handshake()
	return name, ok
}

// script is a connection that says what it was given.
type script struct {
	io.Reader
	net.Conn
}

func (s *script) Read(b []byte) (int, error) { return s.Reader.Read(b) }
func (*script) Write(b []byte) (int, error)  { return len(b), nil }
func (*script) Close() error                 { return nil }
