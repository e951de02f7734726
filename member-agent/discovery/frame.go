package discovery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// The protocol of one stream of a connection. The dialling side begins with a handshake: version, kind, and the group's name
// with its length. The other side answers with one byte once it has accepted the stream, or closes it. A stream of exchanges
// then belongs to memberlist; on one of packets the dialling side sends packets, each with its length in two bytes.
const (
	wireVersion  = 1
	maxGroupName = 63
	maxPacket    = math.MaxUint16
	// ack is the answer to a handshake.
	ack = 0x06
	// protocol is the ALPN name.
	protocol = "hanse-gossip/2"
)

// kind is what a stream is for.
type kind byte

const (
	kindPackets kind = 'P'
	kindStream  kind = 'S'
)

var (
	errHandshake = errors.New("invalid handshake")
	errPacket    = errors.New("bad packet size")
)

func writeHandshake(w io.Writer, k kind, group string) error {
	if len(group) == 0 || len(group) > maxGroupName {
		return fmt.Errorf("%w: group name of %d bytes", errHandshake, len(group))
	}
	_, err := w.Write(append([]byte{wireVersion, byte(k), byte(len(group))}, group...))
	return err
}

func readHandshake(r io.Reader) (kind, string, error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, "", err
	}
	k, n := kind(head[1]), int(head[2])
	switch {
	case head[0] != wireVersion:
		return 0, "", fmt.Errorf("%w: version %d", errHandshake, head[0])
	case k != kindPackets && k != kindStream:
		return 0, "", fmt.Errorf("%w: kind %d", errHandshake, head[1])
	case n == 0 || n > maxGroupName:
		return 0, "", fmt.Errorf("%w: group name of %d bytes", errHandshake, n)
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return 0, "", err
	}
	return k, string(name), nil
}

func writePacket(w io.Writer, p []byte) error {
	if len(p) == 0 || len(p) > maxPacket {
		return fmt.Errorf("%w: %d bytes", errPacket, len(p))
	}
	// One Write, so that the packet is one TLS record and not two.
	_, err := w.Write(append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(p)), uint16(len(p))), p...))
	return err
}

func readPacket(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(head[:])
	if n == 0 {
		return nil, fmt.Errorf("%w: 0 bytes", errPacket)
	}
	p := make([]byte, n)
	_, err := io.ReadFull(r, p)
	return p, err
}
