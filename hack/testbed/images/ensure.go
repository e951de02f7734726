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
)

const (
	imagesCache       = "images"
	fabricDir  = "hack/parts/fabric"
	fabricName = "github.com/hyperledger/fabric"
	// kept is how many archives of an image stay in the cache: somebody may still be importing the last but one.
	kept = 3
)

// builder holds what all images of one call share.
type builder struct {
	root, dir string
	work      string // the folder where the clone's own programs are linked; a stable place, so that go sees what is up to date
	progress  io.Writer
	sample    string // Fabric's sampleconfig
}

// Ensure makes the archives of the named images (of all without a name) and returns their paths by name. Parts come
// from the cache; the clone's own programs are built every time, and archived again only when that changed them.
func Ensure(ctx context.Context, progress io.Writer, names ...string) (map[string]string, error) {
	picked, err := pick(names)
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(ctx, progress, picked)
	if err != nil {
		return nil, err
	}
	programs, err := parts.Ensure(ctx, progress, partsOf(picked)...)
	if err != nil {
		return nil, err
	}
	archives := map[string]string{}
	for _, i := range picked {
		if archives[i.name], err = b.ensure(ctx, i, programs); err != nil {
			return nil, fmt.Errorf("image %s: %w", i.name, err)
		}
	}
	return archives, nil
}

func newBuilder(ctx context.Context, progress io.Writer, picked []image) (*builder, error) {
	root, err := cache.Root()
	if err != nil {
		return nil, err
	}
	dir, err := cache.Dir(imagesCache)
	if err != nil {
		return nil, err
	}
	clone := sha256.Sum256([]byte(root))
	b := &builder{root: root, dir: dir, work: fmt.Sprintf("work/%x", clone[:6]), progress: progress}
	if slices.ContainsFunc(picked, func(i image) bool { return len(i.samples) > 0 }) {
		module, err := parts.ModuleDir(ctx, filepath.Join(root, fabricDir), fabricName)
		if err != nil {
			return nil, err
		}
		b.sample = filepath.Join(module, "sampleconfig")
	}
	return b, nil
}

// partsOf are the parts that the images need. It is never empty, since no name means every part.
func partsOf(picked []image) []string {
	needed := []string{"pause"}
	for _, i := range picked {
		for _, b := range i.binaries {
			if b.part != "" && !slices.Contains(needed, b.part) {
				needed = append(needed, b.part)
			}
		}
	}
	return needed
}

// ensure builds what is the clone's own under a lock of that image alone: it can take minutes, and who waits for
// another image shall not wait for it. The lock is held until the archive is made of what was built.
func (b *builder) ensure(ctx context.Context, i image, programs map[string]string) (string, error) {
	work, err := cache.Dir(filepath.Join(b.work, i.name))
	if err != nil {
		return "", err
	}
	unlock, err := cache.Lock(ctx, work, b.progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	programs = maps.Clone(programs)
	for _, own := range i.binaries {
		if own.part == "" {
			programs[own.path] = filepath.Join(work, i.name)
			if err := b.build(ctx, i.name, own, programs[own.path]); err != nil {
				return "", err
			}
		}
	}
	return b.pack(ctx, i, b.files(i, programs))
}

// build makes a program of the clone.
func (b *builder) build(ctx context.Context, name string, own binary, output string) error {
	return parts.Build{
		Name: name, Dir: filepath.Join(b.root, own.module), Package: own.pkg, Output: output, LDFlags: "-s -w", Quiet: true,
	}.Run(ctx, b.progress)
}

// pack makes the archive of the files unless there is one already.
func (b *builder) pack(ctx context.Context, i image, files []file) (string, error) {
	sum, err := digest(files, i.reference, fmt.Sprint(i.env), fmt.Sprint(i.entry), fmt.Sprint(i.cmd))
	if err != nil {
		return "", err
	}
	entry := i.name + "-" + sum
	archive := filepath.Join(b.dir, entry, i.name+".tar")
	if _, err := os.Stat(archive); err == nil {
		return archive, nil
	}
	unlock, err := cache.Lock(ctx, b.dir, b.progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	start := time.Now()
	err = cache.Publish(b.dir, entry, func(staging string) error {
		return i.write(staging, filepath.Join(staging, i.name+".tar"), files)
	})
	if err != nil {
		return "", err
	}
	fmt.Fprintf(b.progress, "made image %s in %s\n", i.reference, time.Since(start).Round(100*time.Millisecond))
	return archive, prune(b.dir, i.name)
}

// files is everything that goes into the image. programs has the parts by name, the clone's own by their path in it.
func (b *builder) files(i image, programs map[string]string) []file {
	files := base()
	for _, p := range i.binaries {
		files = append(files, file{path: p.path, mode: 0o755, source: programs[cmp.Or(p.part, p.path)]})
	}
	for _, sample := range i.samples {
		files = append(files, file{path: fabricConfig + "/" + sample, mode: 0o644, source: filepath.Join(b.sample, sample)})
	}
	for from, to := range i.links {
		files = append(files, file{path: from, mode: 0o777, link: to})
	}
	for _, dir := range i.dirs {
		files = append(files, file{path: dir, mode: 0o1777, dir: true})
	}
	return withParents(files)
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
