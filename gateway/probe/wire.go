// Package probe probes the far gateway of a line over mutual TLS, exchanges the state of the line, and answers probes. It
// must not know routes, nor what a line's state is used for.
package probe

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxFrame bounds a message: two bytes of length, then so much JSON at the most.
const maxFrame = 512

// ping asks about the line of that name.
type ping struct {
	Line  string `json:"line"`
	Nonce uint64 `json:"nonce"`
}

// pong answers with the same nonce and the answerer's own view of the line.
type pong struct {
	Nonce uint64             `json:"nonce"`
	State v1alpha1.LineState `json:"state"`
}

func writeFrame(w io.Writer, message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(text) > maxFrame {
		return fmt.Errorf("a probe message of %d bytes is longer than %d", len(text), maxFrame)
	}
	frame := make([]byte, 2+len(text))
	binary.BigEndian.PutUint16(frame, uint16(len(text)))
	copy(frame[2:], text)
	_, err = w.Write(frame)
	return err
}

func readFrame(r io.Reader, message any) error {
	var buf [maxFrame]byte
	if _, err := io.ReadFull(r, buf[:2]); err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint16(buf[:2]))
	if length > maxFrame {
		return fmt.Errorf("a probe message of %d bytes is longer than %d", length, maxFrame)
	}
	if _, err := io.ReadFull(r, buf[:length]); err != nil {
		return err
	}
	return json.Unmarshal(buf[:length], message)
}

// validState converts anything that is not a state to Unknown: the far end's answer is not trusted.
func validState(s v1alpha1.LineState) v1alpha1.LineState {
	switch s {
	case v1alpha1.LineUp, v1alpha1.LineDown:
		return s
	}
	return v1alpha1.LineUnknown
}
