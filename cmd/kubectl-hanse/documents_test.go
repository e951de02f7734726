package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/documents"
)

var (
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// called is a call of the plugin up to where a shell would end the command.
	called = regexp.MustCompile(`kubectl hanse ((?:[^|;&>)\n\\]|\\\n)*)`)
)

// TestDocumentsCallWhatThereIs parses every call of the plugin that stands in the documents as the plugin itself does: a
// command or flag that is not there, or a wrong number of arguments, fails.
func TestDocumentsCallWhatThereIs(t *testing.T) {
	pages, err := documents.Pages("../..")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, page := range pages {
		blocks, err := page.Blocks()
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string][]string{}
		for _, block := range blocks {
			for _, command := range block.Commands() {
				texts[block.String()] = append(texts[block.String()], command.Text)
			}
		}
		for _, span := range codeSpan.FindAllStringSubmatch(page.Text, -1) {
			texts[page.Path] = append(texts[page.Path], span[1])
		}
		for where, commands := range texts {
			for _, text := range commands {
				for _, found := range called.FindAllStringSubmatch(text, -1) {
					calls++
					if err := parses(documents.Command{Text: found[1]}.Words()); err != nil {
						t.Errorf("%s: `kubectl hanse %s`: %v", where, found[1], err)
					}
				}
			}
		}
	}
	if calls < 30 {
		t.Errorf("only %d calls were found: the pattern does not fit any more", calls)
	}
}

// parses has the plugin's own command line take the words. Prose may name a command without its arguments, and shorten a
// call by an ellipsis: then only what is there is looked at.
func parses(words []string) error {
	shortened := slices.Contains(words, "…")
	words = slices.DeleteFunc(words, func(w string) bool { return w == "…" })
	root := command()
	found, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if shortened {
		// A flag without its value stands before the ellipsis.
		for len(rest) > 0 && strings.HasPrefix(rest[len(rest)-1], "--") && found.Flag(strings.TrimLeft(rest[len(rest)-1], "-")) != nil {
			rest = rest[:len(rest)-1]
		}
	}
	if err := found.ParseFlags(rest); err != nil {
		return err
	}
	if arguments := found.Flags().Args(); found.Args != nil && len(arguments) > 0 {
		return found.ValidateArgs(arguments)
	}
	return nil
}
