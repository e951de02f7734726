package parts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

const sampleModule = "module sample\n\ngo 1.26.0\n\nrequire example.org/tool v1.2.3\n"

func oneCompiler(string) (string, error) { return "go1.26.8 linux amd64", nil }

func sampleRecipe(t *testing.T) recipe {
	t.Helper()
	root := t.TempDir()
	put(t, root, "go.mod", sampleModule)
	put(t, root, "main.go", "package main\n")
	r, err := newRecipe(root, project.Part{Name: "tool", Go: "hack/parts/tool", Version: "example.org/tool"}, oneCompiler)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func put(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, "hack/parts/tool", name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestKey(t *testing.T) {
	rows := []struct {
		why    string
		change func(r *recipe)
		same   bool
	}{
		{"nothing changed", func(*recipe) {}, true},
		{"another main", func(r *recipe) { put(t, r.root, "main.go", "package main // x\n") }, false},
		{"a new source in a package below", func(r *recipe) { put(t, r.root, "sub/sub.go", "package sub\n") }, false},
		{"another pin somewhere", func(r *recipe) { put(t, r.root, "go.mod", sampleModule+"\nrequire a.b/c v1.0.0\n") }, false},
		{"another sum", func(r *recipe) { put(t, r.root, "go.sum", "x") }, false},
		{"a test decides nothing", func(r *recipe) { put(t, r.root, "main_test.go", "package main\n") }, true},
		{"a manifest decides nothing", func(r *recipe) { put(t, r.root, "deploy/x.yaml", "a: b") }, true},
		{"another compiler", func(r *recipe) { r.toolchain = "go1.27.0 linux amd64" }, false},
		{"other build tags", func(r *recipe) { r.Tags = "remove_all_sd" }, false},
		{"other flags", func(r *recipe) { r.ldflags += " -X main.version=1" }, false},
		{"a program more inside it", func(r *recipe) { r.Programs = []string{"other"} }, false},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			r := sampleRecipe(t)
			before, err := r.key()
			if err != nil || !strings.HasPrefix(before, "tool-v1.2.3-") {
				t.Fatalf("key %q %v", before, err)
			}
			row.change(&r)
			after, err := r.key()
			if err != nil || (after == before) != row.same {
				t.Errorf("%s, before %s: %v", after, before, err)
			}
		})
	}
}

// A change that does not touch a part must not have it built again: the largest take a quarter of an hour.
func TestKeysOfUntouchedParts(t *testing.T) {
	clone, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		why, file, content string
		changed            string // the parts with another key
	}{
		{"the product", "cmd/member-agent/main.go", "package main // x\n", ""},
		{"the clone's own requirements and compiler", "go.mod", "module example.org/clone\n\ngo 1.26.0\n\ntoolchain go1.26.99\n", ""},
		{"what the testbed knows of the clone", "testbed.yaml", "name: other\n", ""},
		{"the testbed itself", "hack/testbed/up.go", "package testbed // x\n", ""},
		{"how clusters get a part's images", "hack/parts/certmanager/deploy/cert-manager.yaml", "a: b\n", ""},
		{"a part's document", "hack/parts/README.md", "x\n", ""},
		{"one part of our own", "hack/parts/linedelay/main.go", "package main // x\n", "line-delay"},
		{"a compiler for one part alone", "hack/parts/pause/go.mod", "module example.org/pause\n\ngo 1.26.0\n\ntoolchain go1.26.99\n", "pause"},
		{"a new source beside others", "hack/parts/kubernetes/more.go", "package main\n", "hyperkube"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			root := t.TempDir()
			for _, dir := range []string{"hack/parts", "hack/tools"} {
				if err := os.CopyFS(filepath.Join(root, dir), os.DirFS(filepath.Join(clone, dir))); err != nil {
					t.Fatal(err)
				}
			}
			before := keys(t, root)
			path := filepath.Join(root, row.file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(row.content), 0o600)); err != nil {
				t.Fatal(err)
			}
			var changed []string
			for i, key := range keys(t, root) {
				if key != before[i] {
					changed = append(changed, Names()[i])
				}
			}
			if got := strings.Join(changed, " "); got != row.changed {
				t.Errorf("built anew: %q, want %q", got, row.changed)
			}
		})
	}
}

// keys are those of all parts of this clone, in their order. The compiler is the one that the nearest go.mod asks for.
func keys(t *testing.T, root string) []string {
	t.Helper()
	known, err := project.Load()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range known.Parts {
		r, err := newRecipe(root, p, func(dir string) (string, error) {
			data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err != nil {
				return "", err
			}
			_, compiler, _ := strings.Cut(string(data), "\ntoolchain ")
			return compiler, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		key, err := r.key()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, key)
	}
	return all
}

func TestPick(t *testing.T) {
	known, err := project.Load()
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		why   string
		names []string
		want  string
		err   string
	}{
		{"a program inside a part stands for the part", []string{"kubectl", "kubelet"}, "hyperkube", ""},
		{"what others wait for is built first, in whatever order it was asked for", []string{"helm", "etcd"}, "etcd helm", ""},
		{"no name is all", nil, strings.Join(Names(), " "), ""},
		{"a wrong name is told, with the right ones", []string{"kubeadm"}, "", "hyperkube"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			picked, err := pick(known.Parts, row.names)
			got := namesOf(picked)
			if strings.Join(got, " ") != row.want || (err == nil) != (row.err == "") || (err != nil && !strings.Contains(err.Error(), row.err)) {
				t.Errorf("got %v %v, want %s", got, err, row.want)
			}
		})
	}
}

// Every part of this clone has to be there and to require what its version is read from.
func TestParts(t *testing.T) {
	known, err := project.Load()
	if err != nil {
		t.Fatal(err)
	}
	root, err := project.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range known.Parts {
		t.Run(p.Name, func(t *testing.T) {
			r, err := newRecipe(root, p, oneCompiler)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.key(); err != nil || r.version == "" || strings.Contains(r.ldflags, "{") {
				t.Errorf("%+v: %v", r, err)
			}
		})
	}
	if _, err := pick(known.Parts, known.Assets); err != nil {
		t.Errorf("assets: %v", err)
	}
}

func TestExpand(t *testing.T) {
	rows := []struct{ why, flags, version, want string }{
		{"a release has numbers", "-X v={version} -X a={major} -X b={minor}", "v1.37.2", "-X v=v1.37.2 -X a=1 -X b=37"},
		{"a pseudo-version has a commit", "-X c={commit}", "v1.4.0-rc1.0.20260423151550-2190a1c8e067", "-X c=2190a1c8e067"},
		{"flags without a version", "-X a=b", "v1.0.0", "-X a=b"},
		{"what is no version has no numbers", "{major}.{minor}", "main", "main."},
	}
	for _, row := range rows {
		if got := expand(row.flags, row.version); got != row.want {
			t.Errorf("%s: %q", row.why, got)
		}
	}
}
