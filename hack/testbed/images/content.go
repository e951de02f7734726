package images

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// file is one entry of an image's only layer. Exactly one of source, data, link and dir says what it is.
type file struct {
	path   string // absolute, in the image
	mode   int64
	source string // a file of this machine
	data   string
	link   string
	dir    bool
}

// epoch is when everything in an image was made: no build shows through.
var epoch = time.Unix(0, 0).UTC()

// nobody is the user and group of every image; the pods of the project run as it.
const nobody = 65532

// base is what programs expect of any system. Roots of certificates are not in it: nothing that runs here trusts any
// public one, but the directory is there so that a pod can mount some.
func base() []file {
	return []file{
		{path: "/etc/passwd", mode: 0o644, data: fmt.Sprintf("root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:%[1]d:%[1]d:nonroot:/tmp:/sbin/nologin\n", nobody)},
		{path: "/etc/group", mode: 0o644, data: fmt.Sprintf("root:x:0:\nnonroot:x:%d:\n", nobody)},
		{path: "/etc/nsswitch.conf", mode: 0o644, data: "hosts: files dns\n"},
		{path: "/etc/ssl/certs", mode: 0o755, dir: true},
		{path: "/tmp", mode: 0o1777, dir: true},
	}
}

// withParents adds the directories that files lie in and sorts, so that every directory comes before what is in it.
func withParents(files []file) []file {
	have := map[string]bool{"/": true}
	for _, f := range files {
		have[f.path] = true
	}
	all := slices.Clone(files)
	for _, f := range files {
		for dir := path.Dir(f.path); !have[dir]; dir = path.Dir(dir) {
			have[dir] = true
			all = append(all, file{path: dir, mode: 0o755, dir: true})
		}
	}
	slices.SortFunc(all, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	return all
}

// digest names the content: the files, and whatever else decides what the image is.
func digest(files []file, rest ...string) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", rest)
	for _, f := range files {
		fmt.Fprintf(sum, "%q %o %q %q %t\n", f.path, f.mode, f.data, f.link, f.dir)
		if f.source == "" {
			continue
		}
		if err := hashFile(sum, f.source); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func hashFile(sum hash.Hash, source string) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(sum, in)
	return err
}

// archive writes the files as a layer. Nothing in it depends on when, where or by whom it is made.
func archive(to io.Writer, files []file) error {
	out := tar.NewWriter(to)
	for _, f := range files {
		if err := f.write(out); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return out.Close()
}

func (f file) write(out *tar.Writer) error {
	header := &tar.Header{Name: strings.TrimPrefix(f.path, "/"), Mode: f.mode, ModTime: epoch, Format: tar.FormatPAX}
	var content io.Reader = bytes.NewReader(nil)
	switch {
	case f.dir:
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
	case f.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, f.link
	case f.source != "":
		in, err := os.Open(f.source)
		if err != nil {
			return err
		}
		defer in.Close()
		info, err := in.Stat()
		if err != nil {
			return err
		}
		header.Typeflag, header.Size, content = tar.TypeReg, info.Size(), in
	default:
		header.Typeflag, header.Size, content = tar.TypeReg, int64(len(f.data)), strings.NewReader(f.data)
	}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(out, content)
	return err
}
