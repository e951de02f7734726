package images

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hanse-io/hanse/hack/testbed/cache"
	"github.com/hanse-io/hanse/hack/testbed/parts"
	"github.com/hanse-io/hanse/hack/testbed/project"
)

const (
	imagesCache = "images"
	// kept is how many archives of an image stay in the cache: somebody may still be importing the last but one.
	kept = 3
)

// builder holds what all images of one call share.
type builder struct {
	root, dir string
	work      string // the folder where the clone's own programs are linked; a stable place, so that go sees what is up to date
	progress  io.Writer
}

// Ensure makes the archives of the named images (of all without a name) and returns their paths by name. Parts come
// from the cache; the clone's own programs are built every time, and archived again only when that changed them.
func Ensure(ctx context.Context, progress io.Writer, names ...string) (map[string]string, error) {
	known, err := catalog()
	if err != nil {
		return nil, err
	}
	picked, err := pick(known, names)
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(progress)
	if err != nil {
		return nil, err
	}
	programs, err := parts.Ensure(ctx, progress, partsOf(picked)...)
	if err != nil {
		return nil, err
	}
	archives := map[string]string{}
	for _, i := range picked {
		if archives[i.Name], err = b.ensure(ctx, i, programs); err != nil {
			return nil, fmt.Errorf("image %s: %w", i.Name, err)
		}
	}
	return archives, nil
}

func newBuilder(progress io.Writer) (*builder, error) {
	root, err := project.Root()
	if err != nil {
		return nil, err
	}
	dir, err := cache.Dir(imagesCache)
	if err != nil {
		return nil, err
	}
	clone := sha256.Sum256([]byte(root))
	return &builder{root: root, dir: dir, work: fmt.Sprintf("work/%x", clone[:6]), progress: progress}, nil
}

// partsOf are the parts that the images need. It is never empty, since no name means every part.
func partsOf(picked []project.Image) []string {
	needed := []string{"pause"}
	for _, i := range picked {
		for _, b := range i.Binaries {
			if b.Part != "" && !slices.Contains(needed, b.Part) {
				needed = append(needed, b.Part)
			}
		}
	}
	return needed
}

// ensure builds what is the clone's own under a lock of that image alone: it can take minutes, and who waits for
// another image shall not wait for it. The lock is held until the archive is made of what was built.
func (b *builder) ensure(ctx context.Context, i project.Image, programs map[string]string) (string, error) {
	work, err := cache.Dir(filepath.Join(b.work, i.Name))
	if err != nil {
		return "", err
	}
	unlock, err := cache.Lock(ctx, work, i.Name, b.progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	programs = maps.Clone(programs)
	for _, own := range i.Binaries {
		if own.Part == "" {
			programs[own.Path] = filepath.Join(work, i.Name)
			if err := b.build(ctx, i.Name, own, programs[own.Path]); err != nil {
				return "", err
			}
		}
	}
	files, err := b.files(ctx, i, programs)
	if err != nil {
		return "", err
	}
	return b.pack(ctx, i, files)
}

// build makes a program of the clone.
func (b *builder) build(ctx context.Context, name string, own project.Binary, output string) error {
	return parts.Build{
		Name: name, Dir: filepath.Join(b.root, own.Go), Package: own.Package, Output: output, LDFlags: "-s -w", Quiet: true,
	}.Run(ctx, b.progress)
}

// pack makes the archive of the files unless there is one already.
func (b *builder) pack(ctx context.Context, i project.Image, files []file) (string, error) {
	sum, err := digest(files, i.Reference, fmt.Sprint(i.Env), fmt.Sprint(i.Entrypoint), fmt.Sprint(i.Cmd))
	if err != nil {
		return "", err
	}
	entry := i.Name + "-" + sum
	archive := filepath.Join(b.dir, entry, i.Name+".tar")
	if _, err := os.Stat(archive); err == nil {
		return archive, nil
	}
	unlock, err := cache.Lock(ctx, b.dir, i.Name, b.progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	start := time.Now()
	err = cache.Publish(b.dir, i.Name, entry, func(staging string) error {
		return write(i, staging, filepath.Join(staging, i.Name+".tar"), files)
	})
	if err != nil {
		return "", err
	}
	fmt.Fprintf(b.progress, "made image %s in %s\n", i.Reference, time.Since(start).Round(100*time.Millisecond))
	return archive, prune(b.dir, i.Name)
}

// files is everything that goes into the image. programs has the parts by name, the clone's own by their path in it.
func (b *builder) files(ctx context.Context, i project.Image, programs map[string]string) ([]file, error) {
	files := base()
	for _, p := range i.Binaries {
		files = append(files, file{path: p.Path, mode: 0o755, source: programs[cmp.Or(p.Part, p.Path)]})
	}
	for _, f := range i.Files {
		module, err := parts.ModuleDir(ctx, filepath.Join(b.root, f.Go), f.Module)
		if err != nil {
			return nil, err
		}
		files = append(files, file{path: f.Path, mode: 0o644, source: filepath.Join(module, f.File)})
	}
	for from, to := range i.Links {
		files = append(files, file{path: from, mode: 0o777, link: to})
	}
	for _, dir := range i.Writable {
		files = append(files, file{path: dir, mode: 0o1777, dir: true})
	}
	return withParents(files), nil
}

// prune removes all but the newest archives of an image.
func prune(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	type aged struct {
		path string
		made time.Time
	}
	var found []aged
	for _, entry := range entries {
		sum, ours := strings.CutPrefix(entry.Name(), name+"-")
		info, err := entry.Info()
		if !ours || strings.Contains(sum, "-") || err != nil {
			continue
		}
		found = append(found, aged{filepath.Join(dir, entry.Name()), info.ModTime()})
	}
	slices.SortFunc(found, func(a, b aged) int { return b.made.Compare(a.made) })
	for n, old := range found {
		if n >= kept {
			if err := os.RemoveAll(old.path); err != nil {
				return err
			}
		}
	}
	return nil
}
