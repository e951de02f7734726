package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// entry is a file in an archive: the content of a file of this machine, given text, or a symbolic link.
type entry struct {
	name   string
	mode   int64
	source string
	text   []byte
	link   string
}

// open is the entry's content and its size.
func (e entry) open() (io.ReadCloser, int64, error) {
	if e.source == "" {
		return io.NopCloser(bytes.NewReader(e.text)), int64(len(e.text)), nil
	}
	in, err := os.Open(e.source)
	if err != nil {
		return nil, 0, err
	}
	info, err := in.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, in.Close())
	}
	return in, info.Size(), nil
}

// writeTar writes the entries in their order; nothing in it depends on who writes it, or when.
func writeTar(to io.Writer, at time.Time, entries []entry) error {
	out := tar.NewWriter(to)
	for _, e := range entries {
		content, size, err := e.open()
		if err != nil {
			return err
		}
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: size, ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if e.link != "" {
			header.Typeflag, header.Linkname, header.Size = tar.TypeSymlink, e.link, 0
		}
		if err = out.WriteHeader(header); err == nil && e.link == "" {
			_, err = io.Copy(out, content)
		}
		if err = errors.Join(err, content.Close()); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return out.Close()
}

func writeZip(to io.Writer, at time.Time, entries []entry) error {
	out := zip.NewWriter(to)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at}
		header.SetMode(fs.FileMode(e.mode))
		w, err := out.CreateHeader(header)
		if err != nil {
			return err
		}
		content, _, err := e.open()
		if err != nil {
			return err
		}
		_, err = io.Copy(w, content)
		if err = errors.Join(err, content.Close()); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return out.Close()
}

// archive writes a file whose form follows from its name: .tar, .tar.gz, .tgz or .zip.
func archive(file string, at time.Time, entries []entry) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	switch {
	case strings.HasSuffix(file, ".zip"):
		return writeZip(out, at, entries)
	case strings.HasSuffix(file, ".tar"):
		return writeTar(out, at, entries)
	}
	packed := gzip.NewWriter(out)
	if err := writeTar(packed, at, entries); err != nil {
		return err
	}
	return packed.Close()
}

// readTar reads a compressed archive's files, by their order in it.
func readTar(file string) ([]entry, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	unpacked, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for files := tar.NewReader(unpacked); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(files)
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeReg {
			entries = append(entries, entry{name: header.Name, mode: 0o644, text: text})
		}
	}
}

// folder lists the files below a folder, sorted by their paths in it.
func folder(root string) ([]entry, error) {
	var entries []entry
	err := filepath.WalkDir(root, func(path string, at fs.DirEntry, err error) error {
		if err != nil || at.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		entries = append(entries, entry{name: filepath.ToSlash(name), mode: 0o644, source: path})
		return err
	})
	return entries, err
}
