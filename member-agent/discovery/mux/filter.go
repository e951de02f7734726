package mux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Window is how much one stream may have under way that its reader has not taken; it bounds what a peer can have stored here
// for each stream.
const Window = 256 << 10

// yamux's frames have a header of 12 bytes: version, type, flags in two bytes, the stream in four, the length in four.
const (
	headerSize = 12

	typeData, typeWindow, typePing, typeGoAway = 0, 1, 2, 3
	flagSYN, flagACK, flagFIN, flagRST         = 1, 2, 4, 8
)

// ErrFrame is returned for a frame that no honest peer sends.
var ErrFrame = errors.New("unexpected frame")

type ioConn = io.ReadWriteCloser

// filter is the connection as yamux has it. It ends it at the first frame that this package's own side would not send, and
// puts a header and its content into one write, which would be two packets and two TLS records otherwise.
type filter struct {
	conn     net.Conn
	accepts  bool // whether the other side opens the streams
	received atomic.Int64

	// header and body are where reading is: the bytes of a header so far, and what is left of a frame's content.
	header []byte
	body   uint32

	// out is what is written at once; waits is whether it is a header whose content is still to come.
	out   []byte
	waits bool
}

func newFilter(conn net.Conn, accepts bool) *filter {
	f := &filter{conn: conn, accepts: accepts, header: make([]byte, 0, headerSize)}
	f.received.Store(time.Now().UnixNano())
	return f
}

// Read is called by one goroutine.
func (f *filter) Read(p []byte) (int, error) {
	n, err := f.conn.Read(p)
	if n > 0 {
		f.received.Store(time.Now().UnixNano())
		if bad := f.check(p[:n]); bad != nil {
			return 0, bad
		}
	}
	return n, err
}

// check goes through what was read, frame by frame.
func (f *filter) check(p []byte) error {
	for len(p) > 0 {
		if f.body > 0 {
			n := min(len(p), int(f.body))
			f.body -= uint32(n)
			p = p[n:]
			continue
		}
		n := min(len(p), headerSize-len(f.header))
		f.header = append(f.header, p[:n]...)
		p = p[n:]
		if len(f.header) < headerSize {
			return nil
		}
		if err := f.checkHeader(f.header); err != nil {
			return err
		}
		if f.header[1] == typeData {
			f.body = binary.BigEndian.Uint32(f.header[8:])
		}
		f.header = f.header[:0]
	}
	return nil
}

// checkHeader has what yamux does not check, or too late.
func (f *filter) checkHeader(h []byte) error {
	flags, id, length := binary.BigEndian.Uint16(h[2:]), binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	switch {
	case h[0] != 0:
		return fmt.Errorf("%w: version %d", ErrFrame, h[0])
	case h[1] == typeGoAway && flags == 0 && id == 0:
		return nil
	case h[1] != typeData && h[1] != typeWindow:
		return fmt.Errorf("%w: type %d", ErrFrame, h[1])
	case flags&^(flagSYN|flagACK|flagFIN|flagRST) != 0:
		return fmt.Errorf("%w: flags %#x", ErrFrame, flags)
	case id%2 == 0:
		return fmt.Errorf("%w: stream %d, which the dialling side cannot have opened", ErrFrame, id)
	case flags&flagSYN != 0 && !f.accepts:
		return fmt.Errorf("%w: a stream opened by the accepting side", ErrFrame)
	case flags&flagACK != 0 && f.accepts:
		return fmt.Errorf("%w: a stream accepted by the dialling side", ErrFrame)
	case length > Window:
		return fmt.Errorf("%w: %d bytes at once", ErrFrame, length)
	}
	return nil
}

// Write is called by one goroutine, with a header or with the content that belongs to the last one.
func (f *filter) Write(p []byte) (int, error) {
	if !f.waits {
		f.out = append(f.out[:0], p...)
		if len(p) == headerSize && p[1] == typeData && binary.BigEndian.Uint32(p[8:]) > 0 {
			f.waits = true
			return len(p), nil
		}
	} else {
		f.out = append(f.out, p...)
		f.waits = false
	}
	if _, err := f.conn.Write(f.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close closes the connection without TLS's close_notify, which could block on a lost peer.
func (f *filter) Close() error {
	if c, ok := f.conn.(interface{ NetConn() net.Conn }); ok {
		return c.NetConn().Close()
	}
	return f.conn.Close()
}
