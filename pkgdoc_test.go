package hanse

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageDocs holds the rule that every package has exactly one package comment, and that no package has a name
// that says nothing.
func TestPackageDocs(t *testing.T) {
	documented := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			switch name {
			case "utils", "util", "helpers", "helper", "common", "misc":
				t.Errorf("%s: a package's name says what it is for", path)
			case "testdata", "bin", "dist", "node_modules", ".git", ".testbed":
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		directory := filepath.Dir(path)
		if _, seen := documented[directory]; !seen {
			documented[directory] = nil
		}
		if file.Doc != nil && strings.HasPrefix(file.Doc.Text(), "Package ") || file.Doc != nil && strings.HasPrefix(file.Doc.Text(), "Command ") {
			documented[directory] = append(documented[directory], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for directory, files := range documented {
		if len(files) != 1 {
			t.Errorf("%s: %d files have a package comment (%v), want one", directory, len(files), files)
		}
	}
}
