package redact

import (
	"io"
	"regexp"
	"strings"
)

const (
	// maxKeyLines is how many lines after the beginning of a private key without an end are left out: more than any key has.
	maxKeyLines = 400
	// minWrapped is the length of the last word of a line that a value may go on after: programs that break values make long
	// lines.
	minWrapped = 12
)

var (
	wholeKey = regexp.MustCompile(`-*[ \t]*BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY.*?END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-*`)
	beginKey = regexp.MustCompile(`-*[ \t]*BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY`)
	endKey   = regexp.MustCompile(`END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-*`)
	// public begins what has lines like those of a key and is public.
	public    = regexp.MustCompile(`-----BEGIN (?:[A-Z0-9 ]{0,20}CERTIFICATE|[A-Z0-9 ]{0,20}PUBLIC KEY|CERTIFICATE REQUEST|X509 CRL)-----`)
	publicEnd = regexp.MustCompile(`-----END `)
	// body is a line that may be the continuation of a value: one word, after what programs put before lines.
	body = regexp.MustCompile(`^([ \t]*(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?[ \t]+(?:std(?:out|err) [FP] )?)?)([A-Za-z0-9+/_.\-]+={0,2})([ \t\r]*)$`)
	// keyLine is a line that a private key may have, whatever stands around it; others end one that has no end.
	keyLine  = regexp.MustCompile(`[A-Za-z0-9+/=]{40,}|^[^ \t]*$|^[ \t]*[A-Za-z0-9+/=]*[ \t\r]*$|^[ \t]*[A-Za-z\-]+: [^ ]+[ \t\r]*$`)
	lastWord = regexp.MustCompile(`[A-Za-z0-9+/=_.\-]*$`)
	// namedLast ends with the name of a variable whose value may be on the next line.
	namedLast = regexp.MustCompile(`"?name"?[ \t]*[:=][ \t]*["']?([A-Za-z0-9_.\-]+)["']?,?[ \t\r]*$`)
	valueLine = regexp.MustCompile(`^([ \t]*-?[ \t]*"?value"?[ \t]*[:=][ \t]*)(.*?)([ \t\r]*)$`)
	// block is a key whose value is the lines below that are indented more.
	block = regexp.MustCompile(`^([ \t]*(?:- )?)["']?([A-Za-z0-9_.\-]+)["']?[ \t]*:[ \t]*[|>][0-9+\-]*[ \t\r]*$`)
)

// lines goes through a text line by line. Lines that may be parts of one value are held back until it is known where it ends.
type lines struct {
	redactor *Redactor
	out      io.Writer
	err      error

	// keyLines counts the lines since the beginning of a private key; 0 outside of one.
	keyLines int
	inPublic bool
	// valueNext is set after the name of a variable that is a secret's.
	valueNext bool
	// indent is that of the key whose block of lines is left out; -1 outside of one.
	indent  int
	inBlock bool

	group group
}

func (l *lines) add(line, end string) {
	if l.keyLines > 0 {
		if line = l.afterKey(line); strings.TrimSpace(line) == "" {
			return
		}
	}
	if l.skipBlock(line) {
		return
	}
	if strings.Contains(line, "PRIVATE KEY") {
		line = wholeKey.ReplaceAllString(line, marker("private key"))
		if at := beginKey.FindStringIndex(line); at != nil {
			line, l.keyLines = line[:at[0]]+marker("private key"), 1
		}
	}
	line = l.value(line)
	if match := block.FindStringSubmatch(line); match != nil && sensitive(match[2]) {
		l.inBlock, l.indent = true, len(match[1])
		line = match[1] + match[2] + ": '" + marker("value") + "'"
	}
	l.collect(line, end)
}

// afterKey is what of a line within a private key is not the key's.
func (l *lines) afterKey(line string) string {
	if at := endKey.FindStringIndex(line); at != nil {
		l.keyLines = 0
		return line[at[1]:]
	}
	if l.keyLines++; keyLine.MatchString(line) && l.keyLines <= maxKeyLines {
		return ""
	}
	l.keyLines = 0
	return line
}

// skipBlock is whether a line belongs to the block of a key that is a secret's.
func (l *lines) skipBlock(line string) bool {
	if !l.inBlock {
		return false
	}
	trimmed := strings.TrimLeft(line, " \t")
	l.inBlock = trimmed == "" || len(line)-len(trimmed) > l.indent
	return l.inBlock
}

// value takes out what follows the name of a variable on a line of its own.
func (l *lines) value(line string) string {
	if l.valueNext {
		l.valueNext = false
		if match := valueLine.FindStringSubmatch(line); match != nil && !harmless(strings.Trim(match[2], `"',`)) {
			return match[1] + "'" + marker("value") + "'" + match[3]
		}
	}
	if match := namedLast.FindStringSubmatch(line); match != nil {
		l.valueNext = sensitive(match[1])
	}
	return line
}

// collect adds a line to the group of those that may be parts of one value.
func (l *lines) collect(line, end string) {
	match := body.FindStringSubmatch(line)
	begins := public.MatchString(line) && !publicEnd.MatchString(line)
	ends := l.inPublic && (match == nil || publicEnd.MatchString(line))
	switch {
	case begins, ends:
		l.flush()
		l.inPublic = begins
	case match == nil || l.group.size > maxGroup || !l.group.mayContinue():
		l.flush()
	}
	if match == nil {
		match = []string{line, "", line, ""}
	}
	l.group.add(part{before: match[1], text: match[2], after: match[3], end: end})
}

func (l *lines) flush() {
	if len(l.group.parts) == 0 {
		return
	}
	text := l.group.redacted(l.redactor, l.inPublic)
	l.group = group{}
	if _, err := io.WriteString(l.out, text); err != nil && l.err == nil {
		l.err = err
	}
}

// part is one line of a group: what may belong to a value, and what stands around it.
type part struct{ before, text, after, end string }

// group is a line, and those below that may continue a value in it.
type group struct {
	parts []part
	size  int
}

func (g *group) add(p part) {
	g.parts = append(g.parts, p)
	g.size += len(p.text)
}

// mayContinue is whether a value that is at the end may go on in the next line.
func (g *group) mayContinue() bool {
	if len(g.parts) == 0 {
		return true
	}
	last := g.parts[len(g.parts)-1]
	return len(lastWord.FindString(strings.TrimRight(last.text, " \t\r"))) >= minWrapped
}

// redacted is the group's text without its secrets. A marker stands on the line where the secret began; lines that
// have nothing besides are left out.
func (g *group) redacted(r *Redactor, inPublic bool) string {
	var joined strings.Builder
	for _, p := range g.parts {
		joined.WriteString(p.text)
	}
	spans := r.scan(joined.String(), 0)
	// A line that is glued to the one before it may begin a value all the same.
	start := 0
	for _, p := range g.parts {
		if isPrivateDER(decode(p.text[:min(len(p.text), 64)])) {
			spans = append(spans, span{start, g.size, "private key in base64"})
		}
		start += len(p.text)
	}
	if !inPublic {
		spans = append(spans, g.keyBodies()...)
	}
	spans = merge(spans)
	var out strings.Builder
	start = 0
	for _, p := range g.parts {
		text, whole := cut(p.text, start, spans)
		start += len(p.text)
		if whole {
			continue
		}
		out.WriteString(p.before + text + p.after + p.end)
	}
	return out.String()
}

// keyBodies are lines as long as those of keys in PEM, with what follows them: the rest of a key whose beginning is not in
// this text.
func (g *group) keyBodies() []span {
	start := 0
	for _, p := range g.parts {
		if n := len(p.text); (n == 64 || n == 70 || n == 76) && looksRandom(p.text) {
			return []span{{start, g.size, "lines as of a private key"}}
		}
		start += len(p.text)
	}
	return nil
}

// cut takes the spans out of one part, which begins at start. whole is whether nothing is left of it, not even a marker.
func cut(text string, start int, spans []span) (rest string, whole bool) {
	var out strings.Builder
	at, end := start, start+len(text)
	for _, s := range spans {
		if s.to <= start || s.from >= end {
			continue
		}
		if s.from >= at {
			out.WriteString(text[at-start : s.from-start])
			out.WriteString(marker(s.what))
		}
		at = min(s.to, end)
	}
	out.WriteString(text[at-start:])
	return out.String(), text != "" && out.Len() == 0
}
