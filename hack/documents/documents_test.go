package documents

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocks(t *testing.T) {
	page := Page{Path: "docs/x.md", Text: "# X\n\n<!-- test: run there -->\n```console\na\n```\n\n1. item\n\n" +
		"   <!-- not run: needs a load balancer -->\n   ```console\n   b\n     c\n   ```\n\n```\nd\n```\n<!-- figures -->\n```yaml\ne\n```\n"}
	got, err := page.Blocks()
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{
		{Page: "docs/x.md", Line: 4, Info: "console", Text: "a\n", Test: &Test{Kind: Run, There: true}},
		{Page: "docs/x.md", Line: 11, Info: "console", Text: "b\n  c\n", Test: &Test{Kind: NotRun, Reason: "needs a load balancer"}},
		{Page: "docs/x.md", Line: 16, Text: "d\n"},
		{Page: "docs/x.md", Line: 20, Info: "yaml", Text: "e\n"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBlocksRejected(t *testing.T) {
	for _, c := range []struct{ why, text string }{
		{"a block without an end would swallow the page", "```console\na\n"},
		{"a misspelt mark would pass as no mark", "<!-- test: runs -->\n```console\na\n```\n"},
		{"a reason of one word is none", "<!-- not run: cloud -->\n```console\na\n```\n"},
	} {
		if got, err := (Page{Text: c.text}).Blocks(); err == nil {
			t.Errorf("%s: got %v", c.why, got)
		}
	}
}

func TestParseTest(t *testing.T) {
	for _, c := range []struct {
		why, text string
		want      *Test
	}{
		{"on the host", "test: run", &Test{Kind: Run}},
		{"asked only", "test: dry-run there", &Test{Kind: DryRun, There: true}},
		{"the setup", "test: setup", &Test{Kind: Setup}},
		{"a step", `test: step "the host away"`, &Test{Kind: Step, Name: "the host away"}},
		{"a test", "test: go test ./member-agent/policy -run TestAllows", &Test{Kind: GoTest, Package: "./member-agent/policy", Name: "TestAllows"}},
		{"another comment", "figures", nil},
	} {
		got, err := parseTest(c.text)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", c.why, err, diff)
		}
	}
}

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		why, text string
		want      []Command
	}{
		{"remarks say where, and are dropped", "# On the host:\nkubectl get x   # there: it is ahead\nkubectl get y  # host\nkubectl get z # hosts\n",
			[]Command{{"kubectl get x", "there"}, {"kubectl get y", "host"}, {"kubectl get z", ""}}},
		{"continued lines belong together", "helm a \\\n  --set b  # there\n", []Command{{"helm a \\\n  --set b", "there"}}},
		{"a quotation of several lines, with a # in it", "kubectl -p '{\n \"a\": # no remark\n}' x\nls\n",
			[]Command{{"kubectl -p '{\n \"a\": # no remark\n}' x", ""}, {"ls", ""}}},
		{"a remark where such a quotation ends", "kubectl -p '{\n}'   # there\n", []Command{{"kubectl -p '{\n}'", "there"}}},
		{"a here-document is taken as it is", "kubectl apply -f - <<'EOF'  # there\na: b   # c\nEOF\nls\n",
			[]Command{{"kubectl apply -f - <<'EOF'\na: b   # c\nEOF", "there"}, {"ls", ""}}},
		{"a # within a word is text", "echo ${x#y}\n", []Command{{"echo ${x#y}", ""}}},
	} {
		if diff := cmp.Diff(c.want, Block{Text: c.text}.Commands()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		why, text string
		want      []string
	}{
		{"quotations are one word", `a --b 'c d' "e" ""`, []string{"a", "--b", "c d", "e", ""}},
		{"continued lines are words of one command", "a \\\n  b", []string{"a", "b"}},
		{"what a here-document holds is no word", "a -f - <<'EOF'\nx\nEOF", []string{"a", "-f", "-"}},
	} {
		if diff := cmp.Diff(c.want, Command{Text: c.text}.Words()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

func TestAsDryRun(t *testing.T) {
	for _, c := range []struct{ why, text, want string }{
		{"what changes is asked only", "kubectl -n a patch b c", "kubectl -n a patch --dry-run=server b c"},
		{"with a here-document too", "kubectl apply -f - <<'EOF'\nx\nEOF", "kubectl apply --dry-run=server -f - <<'EOF'\nx\nEOF"},
		{"Helm's upgrade", "helm upgrade a b", "helm upgrade --dry-run=server a b"},
		{"what reads stays", "kubectl get patch", "kubectl get patch"},
		{"a digest is one", "kubectl create x@sha256:DIGEST", "kubectl create --dry-run=server x@sha256:" + exampleDigest},
	} {
		if got := (Command{Text: c.text}).AsDryRun().Text; got != c.want {
			t.Errorf("%s: %q", c.why, got)
		}
	}
}

func TestIsReadOnly(t *testing.T) {
	for _, c := range []struct {
		why, text string
		want      bool
	}{
		{"a get", "kubectl -n hanse-system get pods -o wide", true},
		{"a JSONPath", "kubectl get member org1 -o jsonpath='{.status.x}'", true},
		{"something to put in", "kubectl -n hanse-trade describe certificate NAME", false},
		{"shortened", "kubectl get …", false},
		{"piped into what deletes", "kubectl get crds -o name | xargs kubectl delete", false},
		{"a deletion behind it", "kubectl get x; kubectl delete x", false},
		{"a deletion", "kubectl delete member org3", false},
	} {
		if got := (Command{Text: c.text}).IsReadOnly(); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

func TestManifests(t *testing.T) {
	for _, c := range []struct {
		why   string
		block Block
		want  []string
	}{
		{"two documents", Block{Info: "yaml", Text: "kind: A\n---\nkind: B\n"}, []string{"kind: A\n", "kind: B\n"}},
		{"of a here-document", Block{Info: "console", Text: "kubectl apply -f - <<'EOF'\nkind: A\nEOF\n"}, []string{"kind: A\n"}},
		{"values are none", Block{Info: "console", Text: "helm upgrade -f - <<'EOF'\na: b\nEOF\n"}, nil},
		{"a drawing is none", Block{Text: "kind: A\n"}, nil},
	} {
		if diff := cmp.Diff(c.want, c.block.Manifests()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

func TestScript(t *testing.T) {
	page := Page{Path: "x", Text: "<!-- test: run there -->\n```console\nkubectl a\nkubectl b # host\n```\n\n" +
		"<!-- test: dry-run -->\n```console\nkubectl delete c\n```\n\n<!-- test: setup -->\n```console\nd\n```\n"}
	blocks, err := page.Blocks()
	if err != nil {
		t.Fatal(err)
	}
	script, commands := Script(blocks, "H", "T")
	want := begin + "echo '── x:2' >&2\nexport KUBECONFIG=T\nkubectl a\n(\nexport KUBECONFIG=H\nkubectl b\n)\n" +
		"echo '── x:8' >&2\nexport KUBECONFIG=H\nkubectl delete --dry-run=server c\n"
	if diff := cmp.Diff(want, script); diff != "" || commands != 3 {
		t.Errorf("%d commands: %s", commands, diff)
	}
}

func TestScriptFillsInNames(t *testing.T) {
	text := "<!-- test: run there -->\n```console\nkubectl -n hanse-CONSORTIUM logs NODE-0 -o 'NAME:.x'\n```\n"
	for path, want := range map[string]string{
		"docs/runbooks/a.md": "kubectl -n hanse-trade logs peer0-org1-0 -o 'NAME:.x'\n", // names of the testbed in place of a reader's
		"docs/a.md":          "kubectl -n hanse-CONSORTIUM logs NODE-0 -o 'NAME:.x'\n",  // pages other than runbooks are written as they run
	} {
		blocks, err := Page{Path: path, Text: text}.Blocks()
		if err != nil {
			t.Fatal(err)
		}
		if script, _ := Script(blocks, "H", "T"); !strings.HasSuffix(script, want) {
			t.Errorf("%s: %s", path, script)
		}
	}
}
