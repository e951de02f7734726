// Package redact takes secrets out of text and objects and leaves a marker in the place of each. It knows how secrets look:
// private keys in PEM and DER, tokens, passwords by the names that they are given; and values that it is told. It must not
// know where a text comes from, and it errs towards taking out too much.
package redact

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
)

// Marker begins what stands in the place of a secret; what it was follows, and a closing bracket.
const Marker = "[REDACTED "

func marker(what string) string { return Marker + what + "]" }

const (
	// maxLine is the longest line that is looked at, in bytes: more than any object has. What exceeds it is left out.
	maxLine = 4 << 20
	// maxGroup bounds what is held back while lines may be parts of one value, in bytes.
	maxGroup = 1 << 20
	// minValue is the length in bytes from which on a value that is told is looked for: shorter ones are words.
	minValue = 8
)

// Redactor takes out secrets.
type Redactor struct{ values []string }

// New is a Redactor that takes out these values too, wherever they stand, and their base64. Of a value of several lines each
// line counts.
func New(values ...string) *Redactor {
	r := &Redactor{}
	for _, value := range values {
		for _, line := range append(strings.Split(value, "\n"), base64.StdEncoding.EncodeToString([]byte(value))) {
			if line = strings.TrimSpace(line); len(line) >= minValue && !strings.HasPrefix(line, "-----") {
				r.values = append(r.values, line)
			}
		}
	}
	return r
}

// Text is a whole text without its secrets.
func (r *Redactor) Text(text string) string {
	var out bytes.Buffer
	w := r.Writer(&out)
	_, _ = io.WriteString(w, text) // a Buffer takes everything
	_ = w.Close()
	return out.String()
}

// Writer passes on what is written to it without the secrets. A secret may reach over lines, and over calls of Write. Close
// passes on what is held back, and leaves out open.
func (r *Redactor) Writer(out io.Writer) io.WriteCloser {
	return &writer{lines: lines{redactor: r, out: out}}
}

// writer cuts what is written into lines.
type writer struct {
	lines lines
	line  []byte
	// tooLong is set while the rest of a line that is too long is left out.
	tooLong bool
}

// Write takes any piece of a text.
func (w *writer) Write(piece []byte) (int, error) {
	for rest := piece; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		text, ended := rest, end >= 0
		if ended {
			text = rest[:end]
		}
		w.extend(text)
		if rest = rest[len(text):]; ended {
			rest = rest[1:]
			w.endLine("\n")
		}
	}
	return len(piece), w.lines.err
}

func (w *writer) extend(text []byte) {
	if w.tooLong {
		return
	}
	if len(w.line)+len(text) > maxLine {
		w.line, w.tooLong = append(w.line[:0], marker("a line of more than 4 MiB")...), true
		return
	}
	w.line = append(w.line, text...)
}

func (w *writer) endLine(end string) {
	w.lines.add(string(w.line), end)
	w.line, w.tooLong = w.line[:0], false
}

// Close passes on what is held back.
func (w *writer) Close() error {
	if len(w.line) > 0 {
		w.endLine("")
	}
	w.lines.flush()
	return w.lines.err
}
