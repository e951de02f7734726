package discovery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// The wire, inside TLS. The side that dialled begins with a greeting: version, kind, and the ring's name with its
// length. The other side answers with one byte once it has let the connection in, or closes it. A stream then belongs
// to memberlist; on a packet connection the side that dialled sends packets, each with its length in two bytes.
const (
	wireVersion = 1
	maxRingName = 63
	maxPacket   = math.MaxUint16
	// welcome is the answer to a greeting.
	welcome = 0x06
	// protocol is the name of all this in the TLS handshake (ALPN).
	protocol = "hanse-gossip/1"
)

// kind is what a connection is for.
type kind byte

const (
	kindPackets kind = 'P'
	kindStream  kind = 'S'
)

var (
	errGreeting = errors.New("not a greeting")
	errPacket   = errors.New("bad packet size")
)

func writeGreeting(w io.Writer, k kind, ring string) error {
	if len(ring) == 0 || len(ring) > maxRingName {
		return fmt.Errorf("%w: ring name of %d bytes", errGreeting, len(ring))
	}
	_, err := w.Write(append([]byte{wireVersion, byte(k), byte(len(ring))}, ring...))
	return err
}

func readGreeting(r io.Reader) (kind, string, error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, "", err
	}
	k, n := kind(head[1]), int(head[2])
	switch {
	case head[0] != wireVersion:
		return 0, "", fmt.Errorf("%w: version %d", errGreeting, head[0])
	case k != kindPackets && k != kindStream:
		return 0, "", fmt.Errorf("%w: kind %d", errGreeting, head[1])
	case n == 0 || n > maxRingName:
		return 0, "", fmt.Errorf("%w: ring name of %d bytes", errGreeting, n)
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
