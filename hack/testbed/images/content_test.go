package images

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWithParents(t *testing.T) {
	rows := []struct {
		why   string
		files []file
		want  []string
	}{
		{"every directory is there, before what is in it", []file{{path: "/usr/local/bin/peer"}}, []string{"/usr", "/usr/local", "/usr/local/bin", "/usr/local/bin/peer"}},
		{"a directory with a mode of its own is not made twice", []file{{path: "/tmp/x"}, {path: "/tmp", dir: true, mode: 0o1777}}, []string{"/tmp", "/tmp/x"}},
		{"the root itself is no entry", []file{{path: "/pause"}}, []string{"/pause"}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			var got []string
			for _, f := range withParents(row.files) {
				got = append(got, f.path)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	source := filepath.Join(t.TempDir(), "program")
	first := []file{{path: "/a", source: source}}
	rows := []struct {
		why     string
		content string
		files   []file
		rest    []string
		same    bool
	}{
		{"the same again", "1", first, []string{"ref"}, true},
		{"another binary", "2", first, []string{"ref"}, false},
		{"another name", "1", first, []string{"other"}, false},
		{"another mode", "1", []file{{path: "/a", source: source, mode: 1}}, []string{"ref"}, false},
		{"another file beside it", "1", append(base(), first...), []string{"ref"}, false},
	}
	if err := os.WriteFile(source, []byte("1"), 0o755); err != nil {
		t.Fatal(err)
	}
	before, err := digest(first, "ref")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			if err := os.WriteFile(source, []byte(row.content), 0o755); err != nil {
				t.Fatal(err)
			}
			after, err := digest(row.files, row.rest...)
			if err != nil || (after == before) != row.same {
				t.Errorf("%s, before %s: %v", after, before, err)
			}
		})
	}
}

// entries reads a layer back.
func entries(t *testing.T, layer io.Reader) map[string]*tar.Header {
	t.Helper()
	found, in := map[string]*tar.Header{}, tar.NewReader(layer)
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = header
	}
}

func TestArchive(t *testing.T) {
	source := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(source, []byte("binary"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := withParents(append(base(), file{path: "/bin/build", mode: 0o755, source: source}, file{path: "/bin/detect", mode: 0o777, link: "build"}))
	var layer, again bytes.Buffer
	if err := errors.Join(archive(&layer, files), archive(&again, files)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(layer.Bytes(), again.Bytes()) {
		t.Error("the same files gave different layers")
	}
	rows := []struct {
		why, name, link string
		kind            byte
		mode            int64
	}{
		{"pods write here", "tmp/", "", tar.TypeDir, 0o1777},
		{"a parent nobody asked for", "bin/", "", tar.TypeDir, 0o755},
		{"the mode is the image's, not the file's", "bin/build", "", tar.TypeReg, 0o755},
		{"one binary, several names", "bin/detect", "build", tar.TypeSymlink, 0o777},
		{"a user that programs can look up", "etc/passwd", "", tar.TypeReg, 0o644},
	}
	found := entries(t, &layer)
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			h := found[row.name]
			if h == nil || h.Typeflag != row.kind || h.Mode != row.mode || h.Linkname != row.link || h.Uid != 0 || h.ModTime.Unix() != 0 {
				t.Errorf("%s: %+v", row.name, h)
			}
		})
	}
}
