package redact

import (
	"cmp"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth is how often base64 within base64 is looked into.
const maxDepth = 3

// span is a secret in a text, in bytes.
type span struct {
	from, to int
	what     string
}

// shapes are secrets that show what they are.
var shapes = []struct {
	what  string
	shape *regexp.Regexp
}{
	// The first is a header that names an algorithm or a type, whatever follows it; the second any two parts in JSON.
	{"token", regexp.MustCompile(`eyJ(?:hbGci|raWQi|0eXAi|lbmMi|jdHki|6aXAi|4NXQ)[A-Za-z0-9_\-]*(?:\.[A-Za-z0-9_\-]*)*`)},
	{"token", regexp.MustCompile(`eyJ[A-Za-z0-9_\-]{6,}\.[A-Za-z0-9_\-]{6,}(?:\.[A-Za-z0-9_\-]*)*`)},
	{"credentials", regexp.MustCompile(`(?i)\bbearer[ \t]+[A-Za-z0-9+/=._~\-]{8,}`)},
	{"token", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{16,}|(?:AKIA|ASIA)[0-9A-Z]{16}|xox[abeprs]-[A-Za-z0-9\-]{10,}|hv[sb]\.[A-Za-z0-9_\-]{20,}|npm_[A-Za-z0-9]{30,}|AGE-SECRET-KEY-1[A-Z0-9]{20,})`)},
}

var (
	connection = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@"']*:([^\s"'<>]+)@`)
	mysql      = regexp.MustCompile(`[A-Za-z0-9_.\-]+:([^\s"'<>]+)@(?:tcp|unix|udp)\(`)
	basic      = regexp.MustCompile(`(?i)\bbasic[ \t]+([A-Za-z0-9+/=_\-]{6,})`)
	bootstrap  = regexp.MustCompile(`(?:^|[^A-Za-z0-9_.\-])([a-z0-9]{6}\.[a-z0-9]{16})(?:[^A-Za-z0-9_.\-]|[.\-](?:[^A-Za-z0-9]|$)|$)`)
	encoded    = regexp.MustCompile(`[A-Za-z0-9+/_\-]{16,}={0,2}`)
	// A key in PEM in base64, whichever of three ways its bytes fall into groups.
	encodedKey = regexp.MustCompile(strings.Join(alignments("PRIVATE KEY"), "|"))
)

// alignments are the texts, one for each way in which a text's bytes fall into groups of three, that base64 of it contains.
func alignments(text string) []string {
	var all []string
	for shift := range 3 {
		whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + text))
		first := []int{0, 2, 3}[shift]
		last := (shift + len(text)) / 3 * 4
		all = append(all, regexp.QuoteMeta(whole[first:last]))
	}
	return all
}

// scan finds the secrets of a text. depth is how often it has been decoded.
func (r *Redactor) scan(text string, depth int) []span {
	var spans []span
	add := func(what string, at ...int) { spans = append(spans, span{at[0], at[1], what}) }
	for _, value := range r.values {
		for from := 0; ; {
			at := strings.Index(text[from:], value)
			if at < 0 {
				break
			}
			add("value of a Secret", from+at, from+at+len(value))
			from += at + len(value)
		}
	}
	for _, s := range shapes {
		for _, at := range s.shape.FindAllStringIndex(text, -1) {
			add(s.what, at...)
		}
	}
	for _, pattern := range []struct {
		what, needs string
		shape       *regexp.Regexp
	}{{"password", "://", connection}, {"password", "p(", mysql}, {"password", "x(", mysql}, {"bootstrap token", ".", bootstrap}} {
		if !strings.Contains(text, pattern.needs) {
			continue
		}
		for _, at := range pattern.shape.FindAllStringSubmatchIndex(text, -1) {
			add(pattern.what, at[2:4]...)
		}
	}
	for _, at := range basic.FindAllStringSubmatchIndex(text, -1) {
		if decoded := decode(text[at[2]:at[3]]); strings.Contains(string(decoded), ":") && isText(decoded) {
			add("credentials", at[2:4]...)
		}
	}
	if strings.Contains(text, "PRIVATE KEY") {
		for _, at := range wholeKey.FindAllStringIndex(text, -1) {
			add("private key", at...)
		}
		if at := beginKey.FindStringIndex(wholeKey.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat(" ", len(s)) })); at != nil {
			add("private key", at[0], len(text))
		}
	}
	for _, at := range encoded.FindAllStringIndex(text, -1) {
		if what := r.hidden(text[at[0]:at[1]], depth); what != "" {
			add(what, at...)
		}
	}
	return append(spans, pairs(text)...)
}

// hidden says what secret there is in base64; nothing if there is none.
func (r *Redactor) hidden(text string, depth int) string {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if encodedKey.MatchString(text) {
		return "private key in base64"
	}
	// What stands before it may be letters too: it is tried from each of the first four on.
	for skip := range min(4, len(text)) {
		decoded := decode(text[skip:])
		if isPrivateDER(decoded) {
			return "private key in base64"
		}
		if depth < maxDepth && isText(decoded) && len(merge(r.scan(string(decoded), depth+1))) > 0 {
			return "secret in base64"
		}
	}
	return ""
}

// decode is what base64 of either alphabet stands for, as far as there are whole groups.
func decode(text string) []byte {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if len(text)%4 == 1 {
		text = text[:len(text)-1]
	}
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil { // bits after the last byte that are not zero, as in a text that was cut off
		decoded, _ = base64.RawStdEncoding.DecodeString(text[:len(text)/4*4])
	}
	return decoded
}

// isPrivateDER is whether DER begins as private keys do and nothing that is public: a sequence with a small version first.
func isPrivateDER(der []byte) bool {
	if len(der) < 16 || der[0] != 0x30 {
		return false
	}
	at := 2
	if der[1] > 0x80 && der[1] <= 0x83 {
		at += int(der[1] & 0x7f)
	}
	return der[at] == 2 && der[at+1] == 1 && der[at+2] <= 3
}

func isText(data []byte) bool {
	return len(data) > 0 && utf8.Valid(data) && !strings.ContainsFunc(string(data), func(c rune) bool {
		return unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t'
	})
}

// looksRandom is whether a line is base64 of random bytes, and not hexadecimal or a word.
func looksRandom(line string) bool {
	return !strings.ContainsAny(line, "._-") && strings.ContainsAny(line, "0123456789+/") &&
		strings.ContainsFunc(line, unicode.IsUpper) && strings.ContainsFunc(line, unicode.IsLower)
}

// merge sorts spans, and joins those that overlap.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var out []span
	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.from < out[last].to {
			out[last].to = max(out[last].to, s.to)
			continue
		}
		if s.from < s.to {
			out = append(out, s)
		}
	}
	return out
}
