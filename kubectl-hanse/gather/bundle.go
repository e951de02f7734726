// Package gather makes a support bundle: Hanse's objects, events, workloads and logs of one cluster, as far as the caller may
// read them, without a secret. What is in it and what was left out stands in its manifest. It changes nothing in a cluster,
// and must not write a byte that has not gone through the redactor.
package gather

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// maxBundle is how much a bundle holds before it is compressed, in bytes. Beyond it everything is left out, and the manifest
// says so.
const maxBundle = 256 << 20

// redactor takes secrets out.
type redactor interface {
	// Writer passes text on without its secrets.
	Writer(out io.Writer) io.WriteCloser
	// Object takes them out of a decoded JSON value.
	Object(value any) any
}

// Manifest says what is in a bundle, and what is not.
type Manifest struct {
	// Plugin is the version of the plugin that made it, Cluster the version of the API server.
	Plugin  string    `json:"plugin"`
	Cluster string    `json:"cluster"`
	Created time.Time `json:"created"`
	Files   []File    `json:"files"`
	LeftOut []LeftOut `json:"leftOut"`
}

// File is one file of a bundle.
type File struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

// LeftOut is something that is not in a bundle, and why.
type LeftOut struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// bundle is written file by file, each through the redactor.
type bundle struct {
	folder   string
	redactor redactor
	manifest Manifest
	limit    int
	size     int

	zip *gzip.Writer
	tar *tar.Writer
	// err is the first of the writer below: then nothing more can be written.
	err error
}

// newBundle writes to out; all files are in one folder.
func newBundle(out io.Writer, folder string, r redactor, created time.Time) *bundle {
	zip := gzip.NewWriter(out)
	return &bundle{folder: folder, redactor: r, limit: maxBundle, zip: zip, tar: tar.NewWriter(zip), manifest: Manifest{Created: created}}
}

// leaveOut notes something that is not in the bundle.
func (b *bundle) leaveOut(what, why string, args ...any) {
	b.manifest.LeftOut = append(b.manifest.LeftOut, LeftOut{What: what, Why: b.text(fmt.Sprintf(why, args...))})
}

// text is a text of our own that may quote somebody else's.
func (b *bundle) text(text string) string {
	var out bytes.Buffer
	w := b.redactor.Writer(&out)
	_, _ = io.WriteString(w, text) // a Buffer takes everything
	_ = w.Close()
	return out.String()
}

// add writes a file. What content has written before it fails is kept.
func (b *bundle) add(name string, content func(io.Writer) error) {
	var held bytes.Buffer
	w := b.redactor.Writer(&held)
	if err := content(w); err != nil {
		b.leaveOut(name, "%s", explain(err))
	}
	if err := w.Close(); err != nil {
		b.leaveOut(name, "%s", explain(err))
		return
	}
	switch {
	case held.Len() == 0:
		return
	case b.size+held.Len() > b.limit:
		b.leaveOut(name, "too large: the bundle would hold more than %d MiB; give -n or a shorter --since", b.limit>>20)
		return
	}
	b.size += held.Len()
	b.manifest.Files = append(b.manifest.Files, File{Name: name, Bytes: held.Len()})
	b.write(name, held.Bytes())
}

func (b *bundle) write(name string, text []byte) {
	if b.err != nil {
		return
	}
	header := &tar.Header{Name: path.Join(b.folder, name), Mode: 0o600, Size: int64(len(text)), ModTime: b.manifest.Created, Format: tar.FormatPAX}
	if b.err = b.tar.WriteHeader(header); b.err == nil {
		_, b.err = b.tar.Write(text)
	}
}

// addYAML writes a value that is not an object of a cluster.
func (b *bundle) addYAML(name string, value any) {
	b.add(name, func(w io.Writer) error {
		text, err := yaml.Marshal(value)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	})
}

// close writes the manifest, and ends the bundle.
func (b *bundle) close() error {
	text, err := yaml.Marshal(b.manifest)
	if err != nil {
		return err
	}
	b.write("manifest.yaml", text)
	for _, err := range []error{b.err, b.tar.Close(), b.zip.Close()} {
		if err != nil {
			return fmt.Errorf("write the bundle: %w", err)
		}
	}
	return nil
}

// fileName is a part of a path: names of objects have no slash, and kinds may.
func fileName(parts ...string) string {
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "/", "_")
	}
	return path.Join(parts...)
}
