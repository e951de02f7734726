// Command apidoc writes the reference of the API's kinds as Markdown, from the Go types and their comments.
//
//	apidoc ./api/v1alpha1 > docs/api.md
package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

var kinds = []string{"Member", "Line", "Consortium", "Channel", "Contract", "MemberPlan"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: apidoc FOLDER")
		os.Exit(2)
	}
	text, err := reference(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "apidoc:", err)
		os.Exit(1)
	}
	fmt.Print(text)
}

func reference(folder string) (string, error) {
	types := map[string]*doc.Type{}
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return "", err
	}
	set, files := token.NewFileSet(), []*ast.File{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") || strings.HasPrefix(filepath.Base(source), "zz_") {
			continue
		}
		file, err := parser.ParseFile(set, source, nil, parser.ParseComments)
		if err != nil {
			return "", err
		}
		files = append(files, file)
	}
	all, err := doc.NewFromFiles(set, files, folder, doc.AllDecls)
	if err != nil {
		return "", err
	}
	for _, t := range all.Types {
		types[t.Name] = t
	}
	var b strings.Builder
	b.WriteString("# API reference\n\nGroup `federation.hanse.io`, version `v1alpha1`. Generated from the Go types; do not edit.\n")
	done := map[string]bool{}
	for _, kind := range kinds {
		if types[kind] == nil {
			return "", fmt.Errorf("%s has no type %s", folder, kind)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", kind, comment(types[kind].Doc))
		queue := []string{kind + "Spec", kind + "Status"}
		for len(queue) > 0 {
			name := queue[0]
			queue = queue[1:]
			if t := types[name]; t != nil && !done[name] {
				done[name] = true
				queue = append(queue, section(&b, t, types)...)
			}
		}
	}
	return b.String(), nil
}

// section writes one type and returns the types of its fields.
func section(b *strings.Builder, t *doc.Type, types map[string]*doc.Type) []string {
	spec := t.Decl.Specs[0].(*ast.TypeSpec)
	structure, ok := spec.Type.(*ast.StructType)
	fmt.Fprintf(b, "\n### %s\n\n%s\n", t.Name, comment(t.Doc))
	if !ok {
		var values []string
		for _, c := range t.Consts {
			for _, s := range c.Decl.Specs {
				for _, v := range s.(*ast.ValueSpec).Values {
					if literal, ok := v.(*ast.BasicLit); ok {
						values = append(values, "`"+strings.Trim(literal.Value, `"`)+"`")
					}
				}
			}
		}
		fmt.Fprintf(b, "\nOne of %s.\n", strings.Join(values, ", "))
		return nil
	}
	b.WriteString("\n| field | type | meaning |\n|---|---|---|\n")
	var next []string
	for _, field := range structure.Fields.List {
		name := jsonName(field)
		if name == "" {
			continue
		}
		shown, named := typeName(field.Type)
		if types[named] != nil && !slices.Contains(next, named) {
			next = append(next, named)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s%s |\n", name, shown, cell(comment(field.Doc.Text())), defaultOf(field.Doc))
	}
	return next
}

func jsonName(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
	return name
}

func typeName(e ast.Expr) (shown, named string) {
	switch t := e.(type) {
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.ArrayType:
		shown, named = typeName(t.Elt)
		if shown == "byte" {
			return "bytes (base64)", ""
		}
		return "list of " + shown, named
	case *ast.SelectorExpr:
		return t.Sel.Name, ""
	case *ast.Ident:
		return t.Name, t.Name
	}
	return "object", ""
}

var marker = regexp.MustCompile(`(?m)^\s*\+.*$`)

// comment drops the markers of a doc comment.
func comment(text string) string { return strings.TrimSpace(marker.ReplaceAllString(text, "")) }

func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

func defaultOf(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	for _, line := range group.List {
		if _, value, ok := strings.Cut(line.Text, "+kubebuilder:default="); ok {
			return " Default: `" + value + "`."
		}
	}
	return ""
}
