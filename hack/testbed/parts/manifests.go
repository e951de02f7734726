package parts

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// Manifests are the manifests of a name as one YAML stream, out of the clone and out of pinned modules.
func Manifests(ctx context.Context, name string) ([]byte, error) {
	known, err := project.Load()
	if err != nil {
		return nil, err
	}
	root, err := project.Root()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(known.Manifests, func(m project.Manifests) bool { return m.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%s has no manifests %q; there are %s", project.File, name, strings.Join(ManifestNames(), ", "))
	}
	var stream bytes.Buffer
	for _, f := range known.Manifests[i].Files {
		if err := appendManifests(ctx, &stream, root, f); err != nil {
			return nil, err
		}
	}
	return stream.Bytes(), nil
}

// ManifestNames are the names that Manifests knows; none outside of a clone.
func ManifestNames() []string {
	known, err := project.Load()
	if err != nil {
		return nil
	}
	var names []string
	for _, m := range known.Manifests {
		names = append(names, m.Name)
	}
	return names
}

func appendManifests(ctx context.Context, stream *bytes.Buffer, root string, f project.ManifestFiles) (err error) {
	dir := root
	if f.Module != "" {
		if dir, err = ModuleDir(ctx, filepath.Join(root, f.Go), f.Module); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, f.Pattern))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s holds no %s: have they been moved?", dir, f.Pattern)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(stream, "---\n%s\n", bytes.TrimPrefix(bytes.TrimSpace(data), []byte("---\n")))
	}
	return nil
}

// ModuleDir is where the sources of a module are that the module in dir requires; they are downloaded if need be.
func ModuleDir(ctx context.Context, dir, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot download %s: %w\n%s", module, err, output)
	}
	cmd = exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = dir
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot find %s in %s: %w", module, dir, err)
	}
	return strings.TrimSpace(string(output)), nil
}
