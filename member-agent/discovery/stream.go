package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/hashicorp/go-msgpack/v2/codec"
)

var (
	errStreamTooLarge = errors.New("stream is larger than the group can need")
	errProtocol       = errors.New("unexpected message")
)

// bounds are the limits of one exchange, by the size of the group.
type bounds struct {
	nodes int // that memberlist's part may list
	state int // bytes of frames
}

func boundsFor(members int) bounds {
	return bounds{nodes: 2*members + 8, state: min(maxState, (members+1)*maxEnvelope)}
}

// stream is a connection that memberlist reads. memberlist allocates whatever sizes the other side announces, up to
// hundreds of megabytes, so the header is read and checked against the bounds first, and no more is passed through than
// they allow.
type stream struct {
	net.Conn
	bounds   bounds
	closed   func()
	once     sync.Once
	incoming io.Reader // nil until the header has been read
}

func (s *stream) Read(p []byte) (int, error) {
	if s.incoming == nil {
		header, err := readMessageHeader(s.Conn, s.bounds)
		if err != nil {
			return 0, err
		}
		// Room for memberlist's part, which has at most a few hundred bytes for each node.
		rest := &io.LimitedReader{R: s.Conn, N: int64(s.bounds.state) + int64(s.bounds.nodes+1)<<11}
		s.incoming = io.MultiReader(bytes.NewReader(header), rest, limitReached{rest})
	}
	return s.incoming.Read(p)
}

// limitReached distinguishes the end of a stream from its limit.
type limitReached struct{ r *io.LimitedReader }

func (e limitReached) Read([]byte) (int, error) {
	if e.r.N <= 0 {
		return 0, errStreamTooLarge
	}
	return 0, io.EOF
}

func (s *stream) Close() error {
	s.once.Do(s.closed)
	return s.Conn.Close()
}

// memberlist's message types, of which these are used without compression, encryption and labels.
const (
	msgPing, msgIndirectPing, msgAck, msgSuspect, msgAlive, msgDead = 0, 1, 2, 3, 4, 5
	msgPushPull, msgCompound, msgUser, msgNack, msgCRC, msgError    = 6, 7, 8, 11, 12, 13
)

// readMessageHeader reads a message's type and, where it announces sizes, its header, and returns the bytes read.
func readMessageHeader(r io.Reader, b bounds) ([]byte, error) {
	var read bytes.Buffer
	var first [1]byte
	if _, err := io.ReadFull(r, first[:]); err != nil {
		return nil, err
	}
	read.WriteByte(first[0])
	// A header takes less than 64 bytes.
	tee := io.TeeReader(io.LimitReader(r, 128), &read)
	switch first[0] {
	case msgPing, msgAck, msgError:
	case msgUser:
		var h struct{ UserMsgLen int }
		if err := unpack(tee, &h); err != nil {
			return nil, fmt.Errorf("%w: %w", errProtocol, err)
		}
		if h.UserMsgLen < 0 || h.UserMsgLen > b.state {
			return nil, fmt.Errorf("%w: a message of %d bytes", errStreamTooLarge, h.UserMsgLen)
		}
	case msgPushPull:
		var h struct{ Nodes, UserStateLen int }
		if err := unpack(tee, &h); err != nil {
			return nil, fmt.Errorf("%w: %w", errProtocol, err)
		}
		if h.Nodes < 0 || h.Nodes > b.nodes || h.UserStateLen < 0 || h.UserStateLen > b.state {
			return nil, fmt.Errorf("%w: %d nodes and %d bytes", errStreamTooLarge, h.Nodes, h.UserStateLen)
		}
	default:
		return nil, fmt.Errorf("%w: type %d in a stream", errProtocol, first[0])
	}
	return read.Bytes(), nil
}

func unpack(r io.Reader, out any) error {
	return codec.NewDecoder(r, &codec.MsgpackHandle{}).Decode(out)
}
