package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// release is one run.
type release struct {
	// root is the clone, to the folder that everything goes into, and work the one for what does not stay.
	root, to, work string
	version        string
	platforms      []platform
	// time is the time of every file in an archive.
	time time.Time
	helm string
	out  io.Writer
	// programs are those that were built for an image or an archive, for the SBOM.
	programs []program
}

// make makes the whole release. What was there before of the same version is removed first.
func (r *release) make(ctx context.Context) error {
	var err error
	if r.work, err = os.MkdirTemp("", "hanse-release-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	if err := os.RemoveAll(r.to); err != nil {
		return err
	}
	if err := os.MkdirAll(r.to, 0o755); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"charts", r.charts}, {"CRDs", r.crds}, {"images", r.images}, {"plugin", r.plugin}, {"SBOM", r.sbom}, {"checksums", r.checksums},
	} {
		start := time.Now()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(r.out, "%-9s in %.1fs\n", step.name, time.Since(start).Seconds())
	}
	fmt.Fprintf(r.out, "release %s is in %s\n", r.version, r.to)
	return nil
}

// path is below the release's folder.
func (r *release) path(parts ...string) string {
	return filepath.Join(append([]string{r.to}, parts...)...)
}

// program is one that was built.
type program struct {
	name string
	on   platform
	file string
}

// build builds a static program of a module of the clone, which depends neither on the place of the clone nor on git. The flags
// are those of the testbed's images, so that what was compiled for these is not compiled again.
func (r *release) build(ctx context.Context, name, module, pkg string, on platform) (string, error) {
	file := filepath.Join(r.work, "programs", on.os+"-"+on.arch, name)
	if built := slices.ContainsFunc(r.programs, func(p program) bool { return p.file == file }); built {
		return file, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", file, pkg)
	cmd.Dir = filepath.Join(r.root, module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOOS="+on.os, "GOARCH="+on.arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s for %s: %w\n%s", name, on, err, strings.TrimSpace(string(out)))
	}
	r.programs = append(r.programs, program{name, on, file})
	return file, nil
}
