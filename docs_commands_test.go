package hanse

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/hack/documents"
)

func pages(t *testing.T) []documents.Page {
	t.Helper()
	all, err := documents.Pages(".")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func blocks(t *testing.T, page documents.Page) []documents.Block {
	t.Helper()
	all, err := page.Blocks()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBlocksSayHowTheyAreTested: each block of commands is run by a test, or says why none can run it. What is to be run, the
// end-to-end test's step "the documents' commands" runs.
func TestBlocksSayHowTheyAreTested(t *testing.T) {
	steps, marked := e2eSteps(t), 0
	for _, page := range pages(t) {
		if page.IsChinese() {
			continue
		}
		for _, block := range blocks(t, page) {
			switch {
			case block.Info == "console run" && page.Path == "docs/applications.md": // "the page for applications" runs these
			case block.Info == "console run":
				t.Errorf("%s: only docs/applications.md is run as a whole: mark the block with <!-- test: run -->", block)
			case block.Info != "console":
				if block.Test != nil {
					t.Errorf("%s: a block of %q has a mark, and no commands", block, block.Info)
				}
			case block.Test == nil:
				t.Errorf("%s: say in a comment above the block how its commands are tested: hack/documents/test.go has the ways", block)
			case block.Test.Kind == documents.Step && !slices.Contains(steps, block.Test.Name):
				t.Errorf("%s: the end-to-end test has no step %q", block, block.Test.Name)
			case block.Test.Kind == documents.GoTest && !isTest(t, block.Test.Package, block.Test.Name):
				t.Errorf("%s: there is no test %s in %s", block, block.Test.Name, block.Test.Package)
			default:
				marked++
			}
		}
	}
	if marked < 40 {
		t.Errorf("only %d blocks were found: the pattern does not fit any more", marked)
	}
}

// typedCommands are the commands of a page: those of its blocks, and what stands as code in its text.
func typedCommands(t *testing.T, page documents.Page) map[string][]documents.Command {
	t.Helper()
	all := map[string][]documents.Command{}
	for _, block := range blocks(t, page) {
		if strings.HasPrefix(block.Info, "console") {
			all[block.String()] = block.Commands()
		}
	}
	for _, span := range codeSpan.FindAllString(codeBlock.ReplaceAllString(page.Text, ""), -1) {
		all[page.Path] = append(all[page.Path], documents.Command{Text: strings.Trim(span, "`")})
	}
	return all
}

var makeTarget = regexp.MustCompile(`(?m)^([a-z0-9_-]+):.*## `)

// TestMakeTargetsExist holds that every `make X` of the documents is a target that `make help` lists.
func TestMakeTargetsExist(t *testing.T) {
	var targets []string
	for _, found := range makeTarget.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, found[1])
	}
	found := 0
	for _, page := range pages(t) {
		for where, commands := range typedCommands(t, page) {
			for _, command := range commands {
				words := command.Words()
				if len(words) > 0 && words[0] == "sudo" {
					words = words[1:]
				}
				if len(words) < 2 || words[0] != "make" {
					continue
				}
				found++
				for _, target := range words[1:] {
					if strings.Contains(target, "=") {
						continue // a variable
					}
					if !slices.Contains(targets, target) {
						t.Errorf("%s: `%s`: the Makefile has no target %q", where, command.Text, target)
					}
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d were found: the pattern does not fit any more", found)
	}
}

// TestHelmValuesExist holds that every value which the documents set is one of the chart's.
func TestHelmValuesExist(t *testing.T) {
	set := 0
	for _, page := range pages(t) {
		for where, commands := range typedCommands(t, page) {
			for _, command := range commands {
				words := command.Words()
				chart := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "charts/") })
				if len(words) == 0 || words[0] != "helm" || chart < 0 {
					continue
				}
				values := chartValues(t, words[chart])
				for _, key := range setKeys(t, command) {
					set++
					if !hasValue(values, strings.Split(key, ".")) {
						t.Errorf("%s: %s has no value %s", where, words[chart], key)
					}
				}
			}
		}
	}
	if set < 20 {
		t.Errorf("only %d values were found: the pattern does not fit any more", set)
	}
}

// archive is what the name of a release's chart has behind that of its folder here.
var archive = regexp.MustCompile(`-[0-9]+\.[0-9]+\.[0-9]+\.tgz$`)

func chartValues(t *testing.T, chart string) map[string]any {
	t.Helper()
	values := map[string]any{}
	chart = archive.ReplaceAllString(chart, "")
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(chart, "values.yaml"))), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// setKeys are the values that a command of Helm's sets, by flags and by a file from a here-document.
func setKeys(t *testing.T, command documents.Command) []string {
	t.Helper()
	var keys []string
	words := command.Words()
	for i, word := range words[:len(words)-1] {
		switch word {
		case "--set", "--set-string":
			// A comma within braces belongs to a list.
			for _, pair := range strings.Split(regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(words[i+1], "x"), ",") {
				key, _, _ := strings.Cut(pair, "=")
				keys = append(keys, key)
			}
		case "--set-json":
			key, _, _ := strings.Cut(words[i+1], "=")
			keys = append(keys, key)
		}
	}
	if _, file, ok := strings.Cut(command.Text, "<<'EOF'\n"); ok {
		values := map[string]any{}
		if err := yaml.Unmarshal([]byte(strings.TrimSuffix(file, "EOF")), &values); err != nil {
			t.Fatalf("%s: %v", command.Text, err)
		}
		for key, below := range values {
			if nested, ok := below.(map[string]any); ok {
				for k := range nested {
					keys = append(keys, key+"."+k)
				}
			} else {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// hasValue says that a chart has a value. Below an empty map anything can be set.
func hasValue(values map[string]any, path []string) bool {
	below, ok := values[path[0]]
	if !ok {
		return false
	}
	if len(path) == 1 {
		return true
	}
	nested, ok := below.(map[string]any)
	return ok && (len(nested) == 0 || hasValue(nested, path[1:]))
}

// TestPathsExist holds that the files of the clone which commands name are there.
func TestPathsExist(t *testing.T) {
	path := regexp.MustCompile(`^(?:\./)?((?:charts|samples|hack)/[A-Za-z0-9._/-]+)$`)
	for _, page := range pages(t) {
		for where, commands := range typedCommands(t, page) {
			for _, command := range commands {
				for _, word := range command.Words() {
					found := path.FindStringSubmatch(archive.ReplaceAllString(word, ""))
					if found == nil || strings.Contains(word, "/dist/") {
						continue
					}
					if _, err := os.Stat(strings.TrimSuffix(found[1], "/...")); err != nil {
						t.Errorf("%s: `%s`: there is no %s", where, command.Text, word)
					}
				}
			}
		}
	}
}

// TestScriptsParse has a shell read, and not run, what the end-to-end test makes of each page.
func TestScriptsParse(t *testing.T) {
	for _, page := range pages(t) {
		script, commands := documents.Script(blocks(t, page), "host", "there")
		if commands == 0 {
			continue
		}
		shell := exec.Command("bash", "-n")
		shell.Stdin = strings.NewReader(script)
		if out, err := shell.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s\n%s", page.Path, err, out, script)
		}
	}
}
