// Package documents reads the project's pages: their blocks of code, the commands in these, and what each block says about how it is
// tested. It knows Markdown as far as these pages use it, and nothing of the product, of clusters or of a site.
package documents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Page is one document.
type Page struct {
	// Path below the clone's root, with slashes.
	Path string
	Text string
}

// Pages are all pages below docs, English and Chinese, and the READMEs, sorted by path. Generated pages are among them.
func Pages(root string) ([]Page, error) {
	paths := []string{"README.md", "README.zh.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		path, err = filepath.Rel(root, path)
		paths = append(paths, filepath.ToSlash(path))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the pages: %w", err)
	}
	slices.Sort(paths)
	pages := make([]Page, 0, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, fmt.Errorf("read a page: %w", err)
		}
		pages = append(pages, Page{Path: path, Text: string(text)})
	}
	return pages, nil
}

// IsChinese says that a page is a translation: its commands are those of the English page.
func (p Page) IsChinese() bool {
	return strings.HasPrefix(p.Path, "docs/zh/") || p.Path == "README.zh.md"
}

// Block is a fenced block of code of a page.
type Block struct {
	Page string
	// Line of the page, from 1, where the block's fence is.
	Line int
	// Info is what follows the opening fence: console, yaml, "console run"; empty for drawings and output.
	Info string
	Text string
	// Test is how the block says that it is tested; nil if it says nothing.
	Test *Test
}

// String names the block for messages.
func (b Block) String() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }

var (
	fence   = regexp.MustCompile("^( *)```(.*)$")
	comment = regexp.MustCompile(`^ *<!-- (.*) -->$`)
)

// Blocks are the page's blocks in their order. Those in list items lose their indentation.
func (p Page) Blocks() ([]Block, error) {
	var blocks []Block
	var open *Block
	var indent string
	var before string // the line before, if it was a comment
	number := 0
	for line := range strings.Lines(p.Text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		found := fence.FindStringSubmatch(line)
		switch {
		case found != nil && open == nil:
			indent = found[1]
			open = &Block{Page: p.Path, Line: number, Info: strings.TrimSpace(found[2])}
			if before != "" {
				test, err := parseTest(before)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", open, err)
				}
				open.Test = test
			}
		case found != nil:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.Text += strings.TrimPrefix(line, indent) + "\n"
		}
		before = ""
		if c := comment.FindStringSubmatch(line); c != nil {
			before = c[1]
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s: the block does not end", open)
	}
	return blocks, nil
}
