package hanse

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/documents"
)

// englishOnly are pages that are not translated.
var englishOnly = []string{
	"docs/api.md", // generated from the Go sources' comments
}

// level is a heading's level.
var level = regexp.MustCompile(`(?m)^(#+) `)

// TestLanguagesAgree holds the Chinese pages to the English ones: a translation that is left behind lacks a section, a row, a
// command or a name.
func TestLanguagesAgree(t *testing.T) {
	chinese := map[string]documents.Page{}
	for _, page := range pages(t) {
		if strings.HasPrefix(page.Path, "docs/zh/") {
			english := strings.Replace(page.Path, "docs/zh/", "docs/", 1)
			chinese[english] = page
			if _, err := os.Stat(english); err != nil {
				t.Errorf("%s translates nothing: there is no %s", page.Path, english)
			}
		}
	}
	for _, page := range pages(t) {
		if page.IsChinese() || page.Path == "README.md" || slices.Contains(englishOnly, page.Path) {
			continue
		}
		translated, ok := chinese[page.Path]
		if !ok {
			t.Errorf("%s has no Chinese page %s", page.Path, strings.Replace(page.Path, "docs/", "docs/zh/", 1))
			continue
		}
		compareLanguages(t, page, translated)
	}
}

func compareLanguages(t *testing.T, english, chinese documents.Page) {
	t.Helper()
	for _, c := range []struct {
		what string
		take func(documents.Page) []string
		sort bool // the order is a language's own
	}{
		{"headings, by level", func(p documents.Page) []string {
			return level.FindAllString(codeBlock.ReplaceAllString(p.Text, ""), -1)
		}, false},
		{"blocks of code, but for their remarks", func(p documents.Page) []string { return typedBlocks(t, p) }, false},
		{"rows of tables, by their number of columns", tableRows, false},
		{"names and commands in the text", codeNames, true},
	} {
		one, other := c.take(english), c.take(chinese)
		if c.sort {
			slices.Sort(one)
			slices.Sort(other)
		}
		if slices.Equal(one, other) {
			continue
		}
		t.Errorf("%s and %s differ in their %s: %d and %d", english.Path, chinese.Path, c.what, len(one), len(other))
		for _, missing := range without(one, other) {
			t.Errorf("  %s lacks %s", chinese.Path, missing)
		}
		for _, missing := range without(other, one) {
			t.Errorf("  %s lacks %s", english.Path, missing)
		}
	}
}

// typedBlocks are a page's blocks of commands and manifests, without remarks.
func typedBlocks(t *testing.T, page documents.Page) []string {
	t.Helper()
	var all []string
	for _, block := range blocks(t, page) {
		if block.Info == "" {
			continue
		}
		var lines []string
		for line := range strings.Lines(block.Text) {
			line, _, _ = strings.Cut(line, " #")
			if line = strings.TrimRight(line, " \n"); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		all = append(all, block.Info+"\n"+strings.Join(lines, "\n"))
	}
	return all
}

// tableRows are the rows of a page's tables, each as its separators: pipes within code count for both languages alike.
func tableRows(page documents.Page) []string {
	var rows []string
	for line := range strings.Lines(codeBlock.ReplaceAllString(page.Text, "")) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") {
			rows = append(rows, strings.Repeat("|", strings.Count(line, "|")))
		}
	}
	return rows
}

// codeNames are what stands as code in a page's text, each once: how often one is named is a matter of style.
func codeNames(page documents.Page) []string {
	var names []string
	for _, command := range page.Spans() {
		names = append(names, command.Text)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
