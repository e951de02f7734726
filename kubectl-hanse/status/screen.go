package status

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// screen redraws in place on a terminal; elsewhere it prints one line whenever the headline changes, or what keeps it from
// being followed.
type screen struct {
	out      io.Writer
	terminal bool
	lines    int
	last     string
	start    time.Time
}

func newScreen(out io.Writer) *screen {
	file, ok := out.(*os.File)
	return &screen{out: out, terminal: ok && term.IsTerminal(int(file.Fd())), start: time.Now()}
}

func (s *screen) show(v view, trouble string) error {
	text := cmp.Or(trouble, v.headline)
	if s.terminal {
		text = v.tree
		if trouble != "" {
			text += trouble + "\n"
		}
	}
	if text == s.last {
		return nil
	}
	s.last = text
	if !s.terminal {
		_, err := fmt.Fprintf(s.out, "%5.1fs  %s\n", time.Since(s.start).Seconds(), text)
		return err
	}
	if s.lines > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", s.lines)
	}
	s.lines = rows(text, s.width())
	_, err := fmt.Fprint(s.out, text)
	return err
}

// end leaves what is there.
func (s *screen) end(view) error { return nil }

// width of the terminal in columns; 0 if it does not say.
func (s *screen) width() int {
	file, ok := s.out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// rows is how many rows of a terminal a text takes, whose lines each end. Pure.
func rows(text string, width int) int {
	count := 0
	for line := range strings.Lines(text) {
		count++
		if length := len([]rune(strings.TrimSuffix(line, "\n"))); width > 0 && length > width {
			count += (length - 1) / width
		}
	}
	return count
}
