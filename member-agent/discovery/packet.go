package discovery

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// validatePacket rejects packets that agents do not send, before memberlist parses them: compression, which could expand
// to forty megabytes, nesting, and pings in the name of another node. What remains are membership messages about third
// parties, and statements.
func validatePacket(p []byte, sender string) error {
	p = withoutChecksum(p)
	if len(p) == 0 {
		return fmt.Errorf("%w: an empty packet", errProtocol)
	}
	switch p[0] {
	case msgUser:
		return nil
	case msgCompound:
		return validateCompound(p, sender)
	default:
		return validateMessage(p, sender)
	}
}

// carriesStatements is whether a packet contains statements, which are expensive to verify.
func carriesStatements(p []byte) bool {
	p = withoutChecksum(p)
	return len(p) > 0 && p[0] == msgUser
}

func withoutChecksum(p []byte) []byte {
	if len(p) >= 5 && p[0] == msgCRC {
		return p[5:]
	}
	return p
}

func validateCompound(p []byte, sender string) error {
	if len(p) < 2 {
		return fmt.Errorf("%w: cut short", errProtocol)
	}
	count, p := int(p[1]), p[2:]
	if len(p) < 2*count {
		return fmt.Errorf("%w: cut short", errProtocol)
	}
	lengths, p := p[:2*count], p[2*count:]
	for ; len(lengths) > 0; lengths = lengths[2:] {
		n := int(binary.BigEndian.Uint16(lengths))
		if n == 0 || n > len(p) {
			return fmt.Errorf("%w: cut short", errProtocol)
		}
		if err := validateMessage(p[:n], sender); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func validateMessage(p []byte, sender string) error {
	switch p[0] {
	case msgAck, msgNack, msgSuspect, msgAlive, msgDead:
		return nil
	case msgPing, msgIndirectPing:
		var m struct{ SourceNode string }
		if err := unpack(bytes.NewReader(p[1:]), &m); err != nil {
			return fmt.Errorf("%w: %w", errProtocol, err)
		}
		if m.SourceNode != sender {
			return fmt.Errorf("%w: %s pings in the name of %.60q", errProtocol, sender, m.SourceNode)
		}
		return nil
	default:
		return fmt.Errorf("%w: type %d in a packet", errProtocol, p[0])
	}
}
