// Package sni parses the server name of a TLS ClientHello without answering it, which is all that a gateway reads of a
// forwarded connection. It must not know routes, nor anything of TLS beyond that first message.
package sni

import (
	"errors"
	"strings"
)

// MaxBytes is the maximum size of a ClientHello, in bytes. Fabric's are below 2 KiB, with post-quantum key shares and a
// session ticket too.
const MaxBytes = 16 << 10

// maxRecords bounds the number of TLS records of one ClientHello, so that tiny fragments do not cost much parsing.
const maxRecords = 16

var (
	// ErrNotTLS: what came is not a ClientHello.
	ErrNotTLS = errors.New("not a TLS ClientHello")
	// ErrTooLong: the ClientHello is larger than MaxBytes.
	ErrTooLong = errors.New("the TLS ClientHello is larger than 16 KiB")
	// ErrNoName: the ClientHello is valid but has no server name.
	ErrNoName = errors.New("the TLS ClientHello names no server")
)

const (
	recordHeader    = 5
	recordHandshake = 0x16
	maxRecord       = 1 << 14
	messageHeader   = 4
	clientHello     = 1
	extServerName   = 0
	typeHostName    = 0
)

// ServerName finds the server name in b, the first bytes of a connection, in lower case. If b is valid so far but too
// short, need is the minimum length of b for the next call, and err is nil.
func ServerName(b []byte) (name string, need int, err error) {
	message, need, err := assemble(b)
	if err != nil || need > 0 {
		return "", need, err
	}
	name, err = serverName(message[messageHeader:])
	return name, 0, err
}

// assemble joins the handshake message of the records at the beginning of b.
func assemble(b []byte) (message []byte, need int, err error) {
	want := messageHeader
	for at, records := 0, 0; ; records++ {
		if records == maxRecords {
			return nil, 0, ErrNotTLS
		}
		fragment, err := record(b[at:])
		if err != nil {
			return nil, 0, err
		}
		if fragment < 0 {
			return short(at + recordHeader)
		}
		at += recordHeader
		have := b[at:min(at+fragment, len(b))]
		if message == nil {
			message = have[:len(have):len(have)] // a second record appends to a copy
		} else {
			message = append(message, have...)
		}
		if len(message) > 0 && message[0] != clientHello {
			return nil, 0, ErrNotTLS
		}
		if len(message) >= messageHeader {
			want = messageHeader + int(message[1])<<16 + int(message[2])<<8 + int(message[3])
			if want > MaxBytes {
				return nil, 0, ErrTooLong
			}
		}
		if len(message) >= want && len(message) > messageHeader {
			return message[:want], 0, nil
		}
		at += fragment
		if at > len(b) {
			return short(at)
		}
	}
}

func short(need int) ([]byte, int, error) {
	if need > MaxBytes {
		return nil, 0, ErrTooLong
	}
	return nil, need, nil
}

// record checks the header of the record at the beginning of b and returns the length of its fragment, or -1 when b is
// too short for the header. What is there of it is checked, so that garbage is known by its first byte.
func record(b []byte) (int, error) {
	if len(b) > 0 && b[0] != recordHandshake || len(b) > 1 && b[1] != 3 {
		return 0, ErrNotTLS
	}
	if len(b) < recordHeader {
		return -1, nil
	}
	length := int(b[3])<<8 | int(b[4])
	if length == 0 || length > maxRecord {
		return 0, ErrNotTLS
	}
	return length, nil
}

// serverName walks through a ClientHello's body.
func serverName(b reader) (string, error) {
	version, ok := b.number(2)
	if !ok || version < 0x0300 || !b.skip(32) {
		return "", ErrNotTLS
	}
	session, ok1 := b.vector(1)
	ciphers, ok2 := b.vector(2)
	compression, ok3 := b.vector(1)
	if !ok1 || !ok2 || !ok3 || len(session) > 32 || len(ciphers) < 2 || len(ciphers)%2 != 0 || len(compression) == 0 {
		return "", ErrNotTLS
	}
	if len(b) == 0 {
		return "", ErrNoName
	}
	extensions, ok := b.vector(2)
	if !ok || len(b) != 0 {
		return "", ErrNotTLS
	}
	name, seen := "", false
	for len(extensions) > 0 {
		kind, ok1 := extensions.number(2)
		data, ok2 := extensions.vector(2)
		if !ok1 || !ok2 {
			return "", ErrNotTLS
		}
		if kind != extServerName {
			continue
		}
		if seen {
			return "", ErrNotTLS // duplicates: the server might read the other one
		}
		seen = true
		var err error
		if name, err = hostName(data); err != nil {
			return "", err
		}
	}
	if !seen {
		return "", ErrNoName
	}
	return name, nil
}

// hostName reads the server_name extension (RFC 6066, section 3).
func hostName(data reader) (string, error) {
	list, ok := data.vector(2)
	if !ok || len(data) != 0 || len(list) == 0 {
		return "", ErrNotTLS
	}
	found := ""
	for len(list) > 0 {
		kind, ok1 := list.number(1)
		name, ok2 := list.vector(2)
		if !ok1 || !ok2 {
			return "", ErrNotTLS
		}
		if kind != typeHostName {
			continue
		}
		if found != "" || !isHostName(name) {
			return "", ErrNotTLS
		}
		found = strings.ToLower(string(name))
	}
	if found == "" {
		return "", ErrNoName
	}
	return found, nil
}

// isHostName reports whether b can be a DNS name as SNI carries it: ASCII, no trailing dot.
func isHostName(b []byte) bool {
	if len(b) == 0 || len(b) > 253 || b[len(b)-1] == '.' {
		return false
	}
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// reader consumes a byte slice from its front.
type reader []byte

func (r *reader) skip(n int) bool {
	if len(*r) < n {
		return false
	}
	*r = (*r)[n:]
	return true
}

func (r *reader) number(width int) (int, bool) {
	if len(*r) < width {
		return 0, false
	}
	n := 0
	for _, c := range (*r)[:width] {
		n = n<<8 | int(c)
	}
	*r = (*r)[width:]
	return n, true
}

// vector reads a vector that is preceded by its length in so many bytes.
func (r *reader) vector(width int) (reader, bool) {
	n, ok := r.number(width)
	if !ok || len(*r) < n {
		return nil, false
	}
	v := (*r)[:n:n]
	*r = (*r)[n:]
	return v, true
}
