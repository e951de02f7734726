package parts

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hanse-io/hanse/hack/testbed/cache"
	"github.com/hanse-io/hanse/hack/testbed/project"
)

const partsCache = "parts"

// Ensure builds the named parts (all of them without a name) unless they are in the cache, and returns the path of
// every one, and of every program inside it, by name.
func Ensure(ctx context.Context, progress io.Writer, names ...string) (map[string]string, error) {
	known, err := project.Load()
	if err != nil {
		return nil, err
	}
	picked, err := pick(known.Parts, names)
	if err != nil {
		return nil, err
	}
	root, err := project.Root()
	if err != nil {
		return nil, err
	}
	dir, err := cache.Dir(partsCache)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for _, p := range picked {
		r, err := newRecipe(root, p, func(dir string) (string, error) { return toolchain(ctx, dir) })
		if err != nil {
			return nil, err
		}
		entry, err := r.ensure(ctx, dir, progress)
		if err != nil {
			return nil, err
		}
		for _, program := range append([]string{p.Name}, p.Programs...) {
			paths[program] = filepath.Join(entry, program)
		}
	}
	return paths, nil
}

// ensure returns the directory of the recipe's outcome. Only a build takes the lock, which is the
// part's own: finding something never waits, and two parts can be built at the same time.
func (r recipe) ensure(ctx context.Context, dir string, progress io.Writer) (string, error) {
	key, err := r.key()
	if err != nil {
		return "", err
	}
	entry := filepath.Join(dir, key)
	if r.built(entry) {
		return entry, nil
	}
	unlock, err := cache.Lock(ctx, dir, r.Name, progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if r.built(entry) { // by the one that held the lock
		return entry, nil
	}
	return entry, cache.Publish(dir, r.Name, key, func(staging string) error { return r.build(ctx, staging, progress) })
}

func (r recipe) built(entry string) bool {
	_, err := os.Stat(filepath.Join(entry, r.Name))
	return err == nil
}

func (r recipe) build(ctx context.Context, into string, progress io.Writer) error {
	b := Build{
		Name: fmt.Sprintf("%s %s", r.Name, r.version), Dir: filepath.Join(r.root, r.Go), Package: r.pkg(),
		Output: filepath.Join(into, r.Name), LDFlags: r.ldflags, Tags: r.Tags,
	}
	if err := b.Run(ctx, progress); err != nil {
		return err
	}
	for _, program := range r.Programs {
		if err := os.Symlink(r.Name, filepath.Join(into, program)); err != nil {
			return err
		}
	}
	return nil
}
