package documents

import (
	"regexp"
	"strings"
)

// Command is one command of a block, as a shell takes it: with its continued lines, its here-document and no remark.
type Command struct {
	Text string
	// Where is "host" or "there" if a remark behind the command says so: "# there", "# host; waits".
	Where string
}

var (
	remark       = regexp.MustCompile(`(?:^|\s)# ?(.*)$`)
	hereDocument = regexp.MustCompile(`<<-?'?([A-Z]+)'?`)
)

// Commands are those of the block. Lines that are remarks alone are left out.
func (b Block) Commands() []Command {
	var commands []Command
	var current Command
	end := "" // of the here-document
	for line := range strings.Lines(b.Text) {
		line = strings.TrimSuffix(line, "\n")
		if end != "" {
			current.Text += "\n" + line
			if line == end {
				end = ""
			}
		} else {
			code, where := withoutRemark(current.Text, line)
			if current.Text == "" && strings.TrimSpace(code) == "" {
				continue
			}
			if current.Text != "" {
				code = "\n" + code
			}
			current.Text += code
			if where != "" {
				current.Where = where
			}
			if found := hereDocument.FindStringSubmatch(code); found != nil {
				end = found[1]
			}
		}
		if end == "" && !isQuoted(current.Text) && !strings.HasSuffix(current.Text, `\`) {
			commands, current = append(commands, current), Command{}
		}
	}
	return commands
}

// withoutRemark takes a line apart. Within a quotation, that may have begun in what comes before the line, a # is text.
func withoutRemark(before, line string) (code, where string) {
	found := remark.FindStringSubmatchIndex(line)
	if found == nil || isQuoted(before+"\n"+line[:found[0]]) {
		return line, ""
	}
	text := line[found[2]:found[3]]
	for _, place := range []string{"there", "host"} {
		if rest, ok := strings.CutPrefix(text, place); ok && (rest == "" || strings.ContainsAny(rest[:1], " ,;:")) {
			where = place
		}
	}
	return strings.TrimRight(line[:found[0]], " "), where
}

// isQuoted says that a quotation of a shell is open at the text's end.
func isQuoted(text string) bool {
	var open rune
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && open != '\'':
			escaped = true
		case open == 0 && (r == '\'' || r == '"'):
			open = r
		case r == open:
			open = 0
		}
	}
	return open != 0
}

// Words are the words of a command as a shell would split them, without quotation marks; redirections and what follows a
// pipe are words of it too. It is good for looking at flags, and not for running anything.
func (c Command) Words() []string {
	var words []string
	var word strings.Builder
	var open rune
	started, escaped := false, false
	text, _, _ := strings.Cut(c.Text, "<<")
	for _, r := range text + "\n" {
		switch {
		case escaped:
			if r != '\n' {
				word.WriteRune(r)
			}
			escaped = false
		case r == '\\' && open != '\'':
			escaped = true
		case open == 0 && (r == '\'' || r == '"'):
			open, started = r, true
		case r == open:
			open = 0
		case open == 0 && (r == ' ' || r == '\n' || r == '\t'):
			if started || word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
		}
	}
	return words
}
