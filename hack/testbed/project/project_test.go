package project

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	rows := []struct{ why, text, wrong string }{
		{"a name is enough", "name: trade", ""},
		{"all of it", "name: trade\nallow: [{port: 1, nodePort: 2}]\nimages: [{name: a, reference: b:1, cmd: [c], binaries: [{path: /c, part: c}]}]", ""},
		{"without a name the cache would have none", "allow: []", "name is missing"},
		{"a misspelt field is told", "name: trade\nimage: []", "image"},
		{"a port that is none", "name: trade\nallow: [{port: 70000, nodePort: 2}]", "65535"},
		{"a port that leads nowhere", "name: trade\nallow: [{port: 1}]", "65535"},
		{"two images of one name", "name: trade\nimages: [{name: a, cmd: [c]}, {name: a, cmd: [c]}]", "taken"},
		{"an image that runs nothing", "name: trade\nimages: [{name: a}]", "neither entrypoint nor cmd"},
		{"a program from nowhere", "name: trade\nimages: [{name: a, cmd: [c], binaries: [{path: /c}]}]", "either part or package"},
		{"a program from two places", "name: trade\nimages: [{name: a, cmd: [c], binaries: [{path: /c, part: p, package: q}]}]", "either part or package"},
		{"parts and manifests", "name: trade\nparts: [{name: a, go: b}]\nmanifests: [{name: m, files: [{pattern: p}, {go: b, module: c, pattern: d}]}]", ""},
		{"two parts of one name", "name: trade\nparts: [{name: a, go: b}, {name: c, go: b, programs: [a]}]", "taken"},
		{"a part from nowhere", "name: trade\nparts: [{name: a}]", "go is missing"},
		{"manifests of nothing", "name: trade\nmanifests: [{name: m}]", "name and files"},
		{"manifests from half a module", "name: trade\nmanifests: [{name: m, files: [{go: b, pattern: p}]}]", "or neither"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), File)
			if err := os.WriteFile(path, []byte(row.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := read(path); (err == nil) != (row.wrong == "") || (err != nil && !strings.Contains(err.Error(), row.wrong)) {
				t.Errorf("%v, want %q", err, row.wrong)
			}
		})
	}
}

func TestRoot(t *testing.T) {
	clone, other := t.TempDir(), t.TempDir()
	deep := filepath.Join(clone, "hack", "testbed")
	if err := errors.Join(os.MkdirAll(deep, 0o755), os.WriteFile(filepath.Join(clone, File), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	rows := []struct{ why, variable, work, want string }{
		{"from anywhere inside the clone", "", deep, clone},
		{"the variable wins", clone, other, clone},
		{"a variable that points elsewhere is a mistake to be told", other, clone, ""},
		{"outside any clone", "", other, ""},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			t.Setenv(RootVariable, row.variable)
			t.Chdir(row.work)
			got, err := Root()
			if got != row.want || (err == nil) != (row.want != "") {
				t.Errorf("%q %v, want %q", got, err, row.want)
			}
		})
	}
}
