package discovery

import (
	"bytes"
	"encoding/binary"
	"errors"
	"github.com/hanse-io/hanse/api/v1alpha1"
	"io"
	"testing"

	"github.com/hashicorp/go-msgpack/v2/codec"
)

func pack(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := codec.NewEncoder(&b, &codec.MsgpackHandle{}).Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFrames(t *testing.T) {
	var wire bytes.Buffer
	if err := writeHandshake(&wire, kindStream, trade); err != nil {
		t.Fatal(err)
	}
	for _, p := range [][]byte{{1}, make([]byte, maxPacket)} {
		if err := writePacket(&wire, p); err != nil {
			t.Fatal(err)
		}
	}
	if k, name, err := readHandshake(&wire); err != nil || k != kindStream || name != trade {
		t.Errorf("%c %q %v", k, name, err)
	}
	for _, n := range []int{1, maxPacket} {
		if p, err := readPacket(&wire); err != nil || len(p) != n {
			t.Errorf("%d bytes, %v", len(p), err)
		}
	}
	if _, err := readPacket(&wire); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if err := writePacket(&wire, make([]byte, maxPacket+1)); !errors.Is(err, errPacket) {
		t.Errorf("a packet that is too large: %v", err)
	}
	if err := writeHandshake(&wire, kindStream, ""); !errors.Is(err, errHandshake) {
		t.Errorf("a group without a name: %v", err)
	}
}

// compound is a packet of several messages.
func compound(parts ...[]byte) []byte {
	p := []byte{msgCompound, byte(len(parts))}
	for _, part := range parts {
		p = binary.BigEndian.AppendUint16(p, uint16(len(part)))
	}
	for _, part := range parts {
		p = append(p, part...)
	}
	return p
}

func TestInspectPacket(t *testing.T) {
	ping := func(kind byte, source string) []byte {
		return append([]byte{kind}, pack(t, map[string]any{"SeqNo": 1, "Node": "org1", "SourceNode": source})...)
	}
	dead := []byte{msgDead, 0x80}
	for _, row := range []struct {
		why    string
		packet []byte
		ok     bool
	}{
		{"a ping", ping(msgPing, "org2"), true},
		{"a ping whose answer is to bother somebody else", ping(msgPing, "org3"), false},
		{"a ping of nobody", ping(msgPing, ""), false},
		{"a request to ping, in one's own name", ping(msgIndirectPing, "org2"), true},
		{"a request to ping, in another's name", ping(msgIndirectPing, "org3"), false},
		{"hearsay with a checksum", append([]byte{msgCRC, 0, 0, 0, 0}, dead...), true},
		{"several at once", compound(ping(msgPing, "org2"), dead), true},
		{"several at once, one of which is not allowed", compound(dead, ping(msgPing, "org3")), false},
		{"several in several", compound(compound(dead)), false},
		{"a checksum in a checksum", append([]byte{msgCRC, 0, 0, 0, 0, msgCRC, 0, 0, 0, 0}, dead...), false},
		{"several, cut short", compound(dead)[:4], false},
		{"several, without lengths", []byte{msgCompound, 9}, false},
		{"several, without a number", []byte{msgCompound}, false},
		{"an empty one of several", compound([]byte{}), false},
		{"compressed", []byte{9, 1, 2}, false},
		{"encrypted", []byte{10, 1, 2}, false},
		{"labelled", []byte{244, 1, 'x', msgDead}, false},
		{"records", []byte{msgUser, 1}, true},
		{"records with a checksum", []byte{msgCRC, 0, 0, 0, 0, msgUser, 1}, true},
		{"records among others, where they would not be counted", compound(dead, []byte{msgUser, 1}), false},
		{"nothing", nil, false},
		{"nothing with a checksum", []byte{msgCRC, 0, 0, 0, 0}, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			if err := validatePacket(row.packet, "org2"); (err == nil) != row.ok {
				t.Error(err)
			}
		})
	}
}

func TestState(t *testing.T) {
	o := newOrganization(t, "org1")
	one, two := o.record(t, trade, 1), o.record(t, trade, 2)
	state, err := appendFrame(nil, frameStatement, &one)
	if err != nil {
		t.Fatal(err)
	}
	first := len(state)
	if state, err = appendFrame(state, frameStatement, &two); err != nil {
		t.Fatal(err)
	}
	have, err := appendFrame(nil, frameDigests, inventory{From: "org1", Have: make([]entry, 9)})
	if err != nil {
		t.Fatal(err)
	}
	ask, err := appendFrame(nil, frameWants, question{From: "org1", Want: make([]want, 9)})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why   string
		state []byte
		limit int
		want  int
		ok    bool
	}{
		{"two", state, 2, 2, true},
		{"none", nil, 2, 0, true},
		{"one more than there may be", state, 1, 1, false},
		{"the second cut short", state[:len(state)-1], 2, 1, false},
		{"a length cut short", state[:first+3], 2, 1, false},
		{"no JSON", []byte{frameStatement, 0, 0, 0, 1, 'x'}, 2, 0, false},
		{"an inventory that is no JSON", []byte{frameDigests, 0, 0, 0, 1, 'x'}, 2, 0, false},
		{"a question that is no JSON", []byte{frameWants, 0, 0, 0, 1, 'x'}, 2, 0, false},
		{"a frame that there is not", []byte{'X', 0, 0, 0, 2, '{', '}'}, 2, 0, false},
		{"a statement without end", []byte{frameStatement, 0xff, 0xff, 0xff, 0xff}, 2, 0, false},
		{"larger than any state", make([]byte, maxState+1), 2, 0, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			all, err := parseState(row.state, row.limit)
			if len(all.statements) != row.want || (err == nil) != row.ok {
				t.Errorf("%d statements, %v", len(all.statements), err)
			}
		})
	}
	all, err := parseState(append(have, ask...), 4)
	if err != nil || len(all.inventories) != 1 || len(all.inventories[0].Have) != 4 || len(all.questions) != 1 || len(all.questions[0].Want) != 4 {
		t.Errorf("lists are not cut to the limit: %+v, %v", all, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x01P\x05trade\x00\x02\x05\x80"))
	f.Add(append([]byte("\x01S\x05trade"), append([]byte{msgPushPull}, pack(f, map[string]any{"Nodes": 3, "UserStateLen": 9})...)...))
	f.Add(append([]byte("\x01P\x05trade\x00\x09"), compound([]byte{msgDead, 0x80})...))
	f.Fuzz(func(t *testing.T, wire []byte) {
		r := bytes.NewReader(wire)
		k, name, err := readHandshake(r)
		if err != nil {
			return
		}
		if len(name) == 0 || len(name) > maxGroupName {
			t.Fatalf("group %q", name)
		}
		if k == kindStream {
			before := r.Len()
			if read, err := readMessageHeader(r, boundsFor(3)); err == nil && len(read) != before-r.Len() {
				t.Fatalf("%d bytes are to be read again of %d that were read", len(read), before-r.Len())
			}
			return
		}
		for {
			p, err := readPacket(r)
			if err != nil {
				return
			}
			_ = validatePacket(p, "org2")
		}
	})
}

// FuzzState feeds a group with what another agent might tell. Nothing of it is signed, so nothing may be taken.
func FuzzState(f *testing.F) {
	o := newOrganization(f, "org1")
	env := o.record(f, trade, 1)
	state, err := appendFrame(nil, frameStatement, &env)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	env.Signature = nil
	unsigned, err := appendFrame(state, frameStatement, &env)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(unsigned)
	have, err := appendFrame(nil, frameDigests, inventory{From: "org1", Have: []entry{{Member: "org1", Kind: v1alpha1.StatementRecord, Sequence: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(have)
	f.Add([]byte("W\x00\x00\x00\x02{}"))
	other := newOrganization(f, "org1")
	f.Fuzz(func(t *testing.T, state []byte) {
		d, err := New(Options{Member: "org2", Listener: noListener{}, Dial: other.noDial, Certificate: other.certificate})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.SetGroups([]Group{{Consortium: trade, Members: []Peer{other.peer()}}}); err != nil {
			t.Fatal(err)
		}
		d.group(trade).acceptAll(state)
		if m, _ := d.View(trade).Member("org1"); m.Record != nil {
			t.Fatalf("taken: %+v", m.Record)
		}
	})
}
