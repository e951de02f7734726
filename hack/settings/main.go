package main

import (
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// Marks between which a page's table is written.
const (
	begin = "<!-- the table below is generated: make generate -->\n"
	end   = "<!-- end of the generated table -->\n"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: settings CRD ENGLISH-PAGE CHINESE-PAGE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "settings:", err)
		os.Exit(1)
	}
}

func run(crdFile, englishPage, chinesePage string) error {
	text, err := os.ReadFile(crdFile)
	if err != nil {
		return err
	}
	crd := map[string]any{}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return fmt.Errorf("%s: %w", crdFile, err)
	}
	rows, err := join(crd, planner.Planner{}.Settings())
	if err != nil {
		return err
	}
	for _, page := range []struct {
		file string
		in   language
	}{{englishPage, english}, {chinesePage, chinese}} {
		table, err := render(rows, page.in)
		if err == nil {
			err = replace(page.file, table)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", page.file, err)
		}
	}
	return nil
}

// replace puts a table between the marks of a page.
func replace(file, table string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("it has no place for the table: add the lines %q and %q", begin, end)
	}
	return os.WriteFile(file, []byte(before+begin+table+end+after), 0o644)
}
