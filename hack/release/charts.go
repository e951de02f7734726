package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// chartNames are the charts of a release.
var chartNames = []string{"federation", "member-agent"}

// charts packages the charts with Helm, and writes the archives again without the time of the day.
func (r *release) charts(ctx context.Context) error {
	for _, name := range chartNames {
		cmd := exec.CommandContext(ctx, r.helm, "package", filepath.Join(r.root, "charts", name), "--destination", r.work)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("helm package charts/%s: %w\n%s", name, err, strings.TrimSpace(string(out)))
		}
		file := name + "-" + r.version + ".tgz"
		entries, err := readTar(filepath.Join(r.work, file))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
		if err := archive(r.path("charts", file), r.time, entries); err != nil {
			return err
		}
	}
	return nil
}

// crds writes each chart's CRDs as one file, to be applied before the chart is upgraded, since Helm only ever installs them.
func (r *release) crds(context.Context) error {
	for _, name := range chartNames {
		files, err := filepath.Glob(filepath.Join(r.root, "charts", name, "crds", "*.yaml"))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("the chart %s has no CRDs", name)
		}
		var all bytes.Buffer
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if !bytes.HasPrefix(text, []byte("---\n")) {
				all.WriteString("---\n")
			}
			all.Write(text)
		}
		if err := os.WriteFile(r.path("crds-"+name+".yaml"), all.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
