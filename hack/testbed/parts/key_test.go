package parts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sampleModule = "module sample\n\ngo 1.26.0\n\nrequire example.org/tool v1.2.3\n"

func sampleRecipe(t *testing.T) recipe {
	t.Helper()
	root := t.TempDir()
	put(t, root, "go.mod", sampleModule)
	put(t, root, "main.go", "package main\n")
	r, err := newRecipe(root, "go1.26.8 linux amd64", part{name: "tool", dir: "hack/parts/tool", pkg: ".", pins: "example.org/tool"})
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
		{"other flags", func(r *recipe) { r.ldflags += " -X main.version=1" }, false},
		{"a program more inside it", func(r *recipe) { r.programs = []string{"other"} }, false},
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

func TestPick(t *testing.T) {
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
			picked, err := pick(row.names)
			var got []string
			for _, p := range picked {
				got = append(got, p.name)
			}
			if strings.Join(got, " ") != row.want || (err == nil) != (row.err == "") || (err != nil && !strings.Contains(err.Error(), row.err)) {
				t.Errorf("got %v %v, want %s", got, err, row.want)
			}
		})
	}
}

// Every part has to be there and to require what its version is read from.
func TestCatalog(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range catalog {
		t.Run(p.name, func(t *testing.T) {
			r, err := newRecipe(root, "any", p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.key(); err != nil || r.version == "" || strings.HasPrefix(r.pkg, "/") {
				t.Errorf("%+v: %v", r, err)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	rows := []struct {
		why, got string
		want     []string
	}{
		{"Kubernetes compares these", kubernetesFlags("v1.37.2"), []string{"gitVersion=v1.37.2", "gitMajor=1", "gitMinor=37"}},
		{"a version that is none sets nothing", kubernetesFlags("main"), nil},
		{"Fabric's commit is all that its pseudo-version tells", fabricFlags("v1.4.0-rc1.0.20260423151550-2190a1c8e067"), []string{"metadata.Version=3.1.4", "CommitSHA=2190a1c8e067"}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			for _, want := range row.want {
				if !strings.Contains(row.got, want) {
					t.Errorf("%q lacks %q", row.got, want)
				}
			}
			if row.want == nil && row.got != "" {
				t.Errorf("%q, want nothing", row.got)
			}
		})
	}
}
