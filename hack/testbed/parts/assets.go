package parts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hanse-io/hanse/hack/testbed/cache"
	"github.com/hanse-io/hanse/hack/testbed/project"
)

const assetsDir = "assets"

// Assets returns a directory that can be KUBEBUILDER_ASSETS. It changes its name when one of the programs does.
func Assets(ctx context.Context, progress io.Writer) (string, error) {
	known, err := project.Load()
	if err != nil {
		return "", err
	}
	assets := known.Assets
	if len(assets) == 0 {
		return "", fmt.Errorf("%s names no assets", project.File)
	}
	paths, err := Ensure(ctx, progress, assets...)
	if err != nil {
		return "", err
	}
	dir, err := cache.Dir(assetsDir)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	for _, name := range assets {
		digest.Write([]byte(name + paths[name] + "\n"))
	}
	key := hex.EncodeToString(digest.Sum(nil))[:16]
	entry := filepath.Join(dir, key)
	if _, err := os.Stat(entry); err == nil {
		return entry, nil
	}
	unlock, err := cache.Lock(ctx, dir, assetsDir, progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	return entry, cache.Publish(dir, assetsDir, key, func(staging string) error {
		var failed error
		for _, name := range assets {
			failed = errors.Join(failed, os.Symlink(paths[name], filepath.Join(staging, name)))
		}
		return failed
	})
}
