package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/hack/testbed/images"
	"github.com/hanse-io/hanse/hack/testbed/project"
)

// Annotations of an image in a layout: its tag, which skopeo and oras go by, and its reference, which containerd does.
const (
	annotationTag       = "org.opencontainers.image.ref.name"
	annotationReference = "io.containerd.image.name"
)

// images makes Hanse's own images for all platforms of Linux, each as an OCI layout in one archive, and writes the list of all
// images: its own with the digests that they have, the others as they are declared.
func (r *release) images(ctx context.Context) error {
	list, err := exec.CommandContext(ctx, "go", "-C", r.root, "run", "./hack/images", r.root).Output()
	if err != nil {
		return fmt.Errorf("list the images: %w", err)
	}
	known, err := readProject(r.root)
	if err != nil {
		return err
	}
	var lines []string
	for _, reference := range strings.Fields(string(list)) {
		at := slices.IndexFunc(known.Images, func(i project.Image) bool { return i.Reference == reference })
		if !strings.Contains(reference, "/hanse-io/") {
			lines = append(lines, reference)
			continue
		}
		if at < 0 {
			return fmt.Errorf("testbed.yaml does not say what %s consists of", reference)
		}
		digest, err := r.image(ctx, known.Images[at])
		if err != nil {
			return fmt.Errorf("%s: %w", reference, err)
		}
		lines = append(lines, reference+"@"+digest.String())
	}
	return os.WriteFile(r.path("images.txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

func readProject(root string) (project.Project, error) {
	var p project.Project
	text, err := os.ReadFile(filepath.Join(root, project.File))
	if err != nil {
		return p, err
	}
	return p, yaml.UnmarshalStrict(text, &p)
}

// image makes one image, and returns the digest of its index.
func (r *release) image(ctx context.Context, i project.Image) (v1.Hash, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, on := range r.platforms {
		if on.os != "linux" {
			continue
		}
		programs := map[string]string{}
		for _, b := range i.Binaries {
			file, err := r.build(ctx, i.Name, b.Go, b.Package, on)
			if err != nil {
				return v1.Hash{}, err
			}
			programs[b.Path] = file
		}
		made, err := images.Make(i, on.arch, r.work, programs)
		if err != nil {
			return v1.Hash{}, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: made, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: on.os, Architecture: on.arch}},
		})
	}
	_, tag, _ := strings.Cut(i.Reference, ":")
	name := filepath.Base(strings.TrimSuffix(i.Reference, ":"+tag))
	scratch := filepath.Join(r.work, "layouts", name)
	at, err := layout.Write(scratch, empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := at.AppendIndex(index, layout.WithAnnotations(map[string]string{annotationTag: tag, annotationReference: i.Reference})); err != nil {
		return v1.Hash{}, err
	}
	entries, err := folder(scratch)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := archive(r.path("images", name+"-"+tag+".tar"), r.time, entries); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}
