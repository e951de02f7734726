package discovery

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// inspectPacket holds a packet against what agents send each other, before memberlist sees it: no compression, which
// could unfold to forty megabytes, no nesting, and nobody asks for answers to be sent to somebody else than himself.
// What remains is hearsay about third parties, which is what gossip is, and records.
func inspectPacket(p []byte, sender string) error {
	p = withoutChecksum(p)
	if len(p) == 0 {
		return fmt.Errorf("%w: an empty packet", errForm)
	}
	switch p[0] {
	case msgUser:
		return nil
	case msgCompound:
		return inspectCompound(p, sender)
	default:
		return inspectMessage(p, sender)
	}
}

// carriesRecords is whether a packet is one of records, which cost more than others.
func carriesRecords(p []byte) bool {
	p = withoutChecksum(p)
	return len(p) > 0 && p[0] == msgUser
}

func withoutChecksum(p []byte) []byte {
	if len(p) >= 5 && p[0] == msgCRC {
		return p[5:]
	}
	return p
}

func inspectCompound(p []byte, sender string) error {
	if len(p) < 2 {
		return fmt.Errorf("%w: cut short", errForm)
	}
	count, p := int(p[1]), p[2:]
	if len(p) < 2*count {
		return fmt.Errorf("%w: cut short", errForm)
	}
	lengths, p := p[:2*count], p[2*count:]
	for ; len(lengths) > 0; lengths = lengths[2:] {
		n := int(binary.BigEndian.Uint16(lengths))
		if n == 0 || n > len(p) {
			return fmt.Errorf("%w: cut short", errForm)
		}
		if err := inspectMessage(p[:n], sender); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func inspectMessage(p []byte, sender string) error {
	switch p[0] {
	case msgAck, msgNack, msgSuspect, msgAlive, msgDead:
		return nil
	case msgPing, msgIndirectPing:
		var m struct{ SourceNode string }
		if err := unpack(bytes.NewReader(p[1:]), &m); err != nil {
			return fmt.Errorf("%w: %w", errForm, err)
		}
		if m.SourceNode != sender {
			return fmt.Errorf("%w: %s asks in the name of %.60q", errForm, sender, m.SourceNode)
		}
		return nil
	default:
		return fmt.Errorf("%w: type %d in a packet", errForm, p[0])
	}
}
