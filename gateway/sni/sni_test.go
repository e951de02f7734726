package sni

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// real is what crypto/tls sends first.
func real(t testing.TB, name string) []byte {
	t.Helper()
	c, s := net.Pipe()
	defer c.Close()
	defer s.Close()
	go func() {
		_ = tls.Client(c, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}).Handshake() // nobody answers
	}()
	buf := make([]byte, MaxBytes)
	n, err := s.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// split sends the same handshake message in records of so many bytes.
func split(hello []byte, size int) (out []byte) {
	for body := hello[recordHeader:]; len(body) > 0; {
		n := min(size, len(body))
		out = append(out, recordHandshake, 3, 1, byte(n>>8), byte(n))
		out = append(out, body[:n]...)
		body = body[n:]
	}
	return out
}

func TestServerName(t *testing.T) {
	whole := real(t, "peer0-b.hanse-trade")
	twice := bytes.Replace(bytes.Clone(whole), []byte("peer0-b.hanse-trade"), []byte("PEER0-B.hanse-trade"), 1)
	for _, c := range []struct {
		why  string
		in   []byte
		name string
		err  error
	}{
		{why: "one record", in: whole, name: "peer0-b.hanse-trade"},
		{why: "what follows the hello is not looked at", in: append(bytes.Clone(whole), "more"...), name: "peer0-b.hanse-trade"},
		{why: "a name is compared without regard to case", in: twice, name: "peer0-b.hanse-trade"},
		{why: "a hello may come in several records", in: split(whole, 200), name: "peer0-b.hanse-trade"},
		{why: "but not in very many", in: split(whole, 8), err: ErrNotTLS},
		{why: "an IP address is no server name", in: real(t, "10.0.0.1"), err: ErrNoName},
		{why: "HTTP", in: []byte("GET / HTTP/1.1\r\n"), err: ErrNotTLS},
		{why: "SSL 2", in: []byte{0x80, 0x2e, 1, 0, 2}, err: ErrNotTLS},
		{why: "an alert", in: []byte{21, 3, 3, 0, 2, 1, 0}, err: ErrNotTLS},
		{why: "a ServerHello", in: []byte{22, 3, 3, 0, 4, 2, 0, 0, 0}, err: ErrNotTLS},
		{why: "an empty record", in: []byte{22, 3, 3, 0, 0}, err: ErrNotTLS},
		{why: "a record longer than TLS allows", in: []byte{22, 3, 3, 0xff, 0xff}, err: ErrNotTLS},
		{why: "a message longer than we read", in: []byte{22, 3, 3, 0x20, 0, 1, 0, 0x80, 0}, err: ErrTooLong},
		{why: "a hello of zeros", in: append([]byte{22, 3, 1, 0, 64, 1, 0, 0, 60}, make([]byte, 60)...), err: ErrNotTLS},
		{why: "a name with a NUL", in: bytes.Replace(bytes.Clone(whole), []byte("peer0-b."), []byte("peer0\x00b."), 1), err: ErrNotTLS},
	} {
		t.Run(c.why, func(t *testing.T) {
			name, need, err := ServerName(c.in)
			if name != c.name || need != 0 || !errors.Is(err, c.err) {
				t.Errorf("ServerName: %q, need %d, %v; want %q, %v", name, need, err, c.name, c.err)
			}
		})
	}
}

func TestServerNameWantsMore(t *testing.T) {
	for _, hello := range [][]byte{real(t, "a.b"), split(real(t, "a.b"), 100)} {
		for n := range hello {
			name, need, err := ServerName(hello[:n])
			if err == nil && need == 0 && name == "a.b" {
				continue // the last record's end need not have come
			}
			if err != nil || need <= n || need > len(hello) {
				t.Fatalf("after %d of %d bytes: %q, need %d, %v", n, len(hello), name, need, err)
			}
		}
	}
}

func TestTwoServerNamesAreRefused(t *testing.T) {
	extension := func(name string) []byte {
		n := len(name)
		return append([]byte{0, 0, 0, byte(n + 5), 0, byte(n + 3), 0, 0, byte(n)}, name...)
	}
	body := append([]byte{3, 3}, make([]byte, 32)...) // version, random
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)       // session, ciphers, compression
	for _, c := range []struct {
		names []string
		err   error
	}{{[]string{"a.b"}, nil}, {[]string{"a.b", "c.d"}, ErrNotTLS}, {nil, ErrNoName}} {
		var extensions []byte
		for _, n := range c.names {
			extensions = append(extensions, extension(n)...)
		}
		message := append(bytes.Clone(body), byte(len(extensions)>>8), byte(len(extensions)))
		message = append(message, extensions...)
		record := append([]byte{22, 3, 1, 0, byte(len(message) + 4), 1, 0, 0, byte(len(message))}, message...)
		if _, _, err := ServerName(record); !errors.Is(err, c.err) {
			t.Errorf("%v: %v, want %v", c.names, err, c.err)
		}
	}
}

func TestRead(t *testing.T) {
	hello := real(t, "orderer0-b.hanse-trade")
	for name, r := range map[string]io.Reader{
		"at once":      bytes.NewReader(hello),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(hello)),
		"with its end": iotest.DataErrReader(bytes.NewReader(hello)),
	} {
		got, read, err := Read(r, nil)
		if got != "orderer0-b.hanse-trade" || !bytes.Equal(read, hello) || err != nil {
			t.Errorf("%s: %q, %d bytes, %v", name, got, len(read), err)
		}
	}
	if _, read, err := Read(strings.NewReader("\x16\x03\x01"), nil); !errors.Is(err, io.EOF) || len(read) != 3 {
		t.Errorf("a hello that breaks off: %d bytes, %v", len(read), err)
	}
	endless := io.MultiReader(bytes.NewReader([]byte{22, 3, 1, 0x3f, 0xf0, 1, 0, 0x3f, 0xec}), iotest.OneByteReader(zeros{}))
	if _, read, err := Read(endless, nil); err == nil || len(read) > MaxBytes {
		t.Errorf("%d bytes were read, %v", len(read), err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func BenchmarkServerName(b *testing.B) {
	hello := real(b, "peer0-b.hanse-trade")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ServerName(hello); err != nil {
			b.Fatal(err)
		}
	}
}
