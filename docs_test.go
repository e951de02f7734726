package hanse

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReasonsHaveRows holds the rule that every reason of a condition stands in a table of docs/troubleshooting.md.
func TestReasonsHaveRows(t *testing.T) {
	var rows []string
	for line := range strings.Lines(read(t, "docs/troubleshooting.md")) {
		if strings.HasPrefix(line, "|") {
			rows = append(rows, line)
		}
	}
	reasons := 0
	for name, value := range reasonConstants(t) {
		reasons++
		if !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, "`"+value+"`") }) {
			t.Errorf("%s: no row of docs/troubleshooting.md has `%s`: say there what causes it and how to fix it", name, value)
		}
	}
	if reasons == 0 {
		t.Error("api/v1alpha1 has no reasons")
	}
}

// reasonConstants are the constants of the API whose names begin with Reason.
func reasonConstants(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("api/v1alpha1/*.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") || len(spec.Values) != 1 {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				if reasons[spec.Names[0].Name], err = strconv.Unquote(literal.Value); err != nil {
					t.Fatal(err)
				}
			}
			return true
		})
	}
	return reasons
}

var (
	codeBlock = regexp.MustCompile("(?s)```[a-z ]*\n(.*?)```")
	// typed is a block of what people type: commands and manifests, no drawing.
	typed    = regexp.MustCompile("(?s)```(?:console|yaml)[a-z ]*\n(.*?)```")
	codeSpan = regexp.MustCompile("`[^`\n]+`")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	// quoted is what the READMEs call a step of the end-to-end tests, in quotation marks of either kind.
	quoted = regexp.MustCompile(`["“]([a-z][^"“”]*)["”]`)
)

// TestDocumentsLinks follows the links between the documents, to headings too.
func TestDocumentsLinks(t *testing.T) {
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	translated, err := filepath.Glob("docs/zh/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range append(append(documents, translated...), "README.md", "README.zh.md", "CONTRIBUTING.md") {
		for _, found := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(read(t, document), ""), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(found[1], "#")
			target := filepath.Join(filepath.Dir(document), path)
			if path == "" {
				target = document
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", document, found[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s: %s: there is no such heading, or more than one", document, found[1])
			}
		}
	}
}

// anchors are those of a document's headings, without those that several headings share.
func anchors(text string) []string {
	seen := map[string]int{}
	for _, found := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		seen[strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")]++
	}
	var once []string
	for anchor, times := range seen {
		if times == 1 {
			once = append(once, anchor)
		}
	}
	return once
}

// TestReadmesAgree has both READMEs give the same commands, names and links: the prose is translated, these are not.
func TestReadmesAgree(t *testing.T) {
	for _, c := range []struct {
		why  string
		take func(text string) []string
	}{
		{"commands, but for their comments", func(text string) []string { return commands(text) }},
		{"names and commands in the text", func(text string) []string {
			return codeSpan.FindAllString(codeBlock.ReplaceAllString(text, ""), -1)
		}},
		{"links", func(text string) []string {
			var all []string
			for _, found := range link.FindAllStringSubmatch(text, -1) {
				all = append(all, found[1])
			}
			return slices.DeleteFunc(all, func(l string) bool { return strings.HasPrefix(l, "README") })
		}},
		{"steps of the end-to-end tests", func(text string) []string { return steps(text) }},
	} {
		english, chinese := c.take(read(t, "README.md")), c.take(read(t, "README.zh.md"))
		slices.Sort(english)
		slices.Sort(chinese)
		if len(english) == 0 {
			t.Errorf("%s: README.md has none", c.why)
		}
		for _, missing := range without(english, chinese) {
			t.Errorf("%s: README.zh.md lacks %s", c.why, missing)
		}
		for _, missing := range without(chinese, english) {
			t.Errorf("%s: README.md lacks %s", c.why, missing)
		}
	}
}

// without are the elements of a sorted list that another one does not have as often.
func without(list, other []string) []string {
	left := slices.Clone(other)
	return slices.DeleteFunc(slices.Clone(list), func(element string) bool {
		i := slices.Index(left, element)
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
		return i >= 0
	})
}

// commands are the lines of what a document has people type, without comments.
func commands(text string) []string {
	var all []string
	for _, block := range typed.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			line, _, _ = strings.Cut(line, " #")
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, line)
			}
		}
	}
	return all
}

// steps are the steps of the end-to-end tests that a README names.
func steps(text string) []string {
	var all []string
	for _, found := range quoted.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.Join(strings.Fields(found[1]), " "))
	}
	return all
}

// How documents cite tests and steps of the end-to-end test, and how that lists its steps.
var (
	citedTest = regexp.MustCompile(`go test (\./[a-z/-]+)(?:/\.\.\.)? -run ([A-Za-z0-9]+)`)
	citedStep = regexp.MustCompile(`["“]([a-z][^"”]*)["”]`)
	e2eStep   = regexp.MustCompile(`(?m)^\t\t\{"([^"]+)", [a-zA-Z]+\},$`)
)

// TestDocumentsCiteWhatThereIs: a test that is not there passes, so a document that cites one shows nothing.
func TestDocumentsCiteWhatThereIs(t *testing.T) {
	var known []string
	for _, found := range e2eStep.FindAllStringSubmatch(read(t, "hack/e2e/e2e_test.go"), -1) {
		known = append(known, found[1])
	}
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	cited := 0
	for _, document := range append(documents, "README.md", "README.zh.md", "CONTRIBUTING.md") {
		text := strings.Join(strings.Fields(read(t, document)), " ")
		for _, found := range citedTest.FindAllStringSubmatch(text, -1) {
			files, err := filepath.Glob(filepath.Join(found[1], "*_test.go"))
			if err != nil || !slices.ContainsFunc(files, func(f string) bool { return strings.Contains(read(t, f), "func "+found[2]) }) {
				t.Errorf("%s: there is no test %s in %s", document, found[2], found[1])
			}
		}
		for _, sentence := range strings.SplitAfter(text, "`make e2e`")[1:] {
			sentence, _, _ = strings.Cut(sentence, "`")
			if !strings.Contains(sentence, "step") && !strings.Contains(sentence, "步") {
				continue
			}
			for _, found := range citedStep.FindAllStringSubmatch(sentence, -1) {
				cited++
				if !slices.Contains(known, found[1]) {
					t.Errorf("%s: the end-to-end test has no step %q", document, found[1])
				}
			}
		}
	}
	if len(known) < 20 || cited < 10 {
		t.Errorf("%d steps and %d citations of them were found: the patterns do not fit any more", len(known), cited)
	}
}
