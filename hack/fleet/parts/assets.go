package parts

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/hanse-io/hanse/hack/fleet/cache"
)

const assetsRoom = "assets"

// assets are the programs that controller-runtime's envtest looks for.
var assets = []string{"kube-apiserver", "etcd", "kubectl"}

// Assets returns a directory that can be KUBEBUILDER_ASSETS. It changes its name when one of the programs does.
func Assets(ctx context.Context, progress io.Writer) (string, error) {
	paths, err := Ensure(ctx, progress, assets...)
	if err != nil {
		return "", err
	}
	dir, err := cache.Dir(assetsRoom)
	if err != nil {
		return "", err
	}
	key := filepath.Base(filepath.Dir(paths["kube-apiserver"])) + "-" + filepath.Base(filepath.Dir(paths["etcd"]))
	entry := filepath.Join(dir, key)
	if _, err := os.Stat(entry); err == nil {
		return entry, nil
	}
	unlock, err := cache.Lock(ctx, dir, progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	return entry, cache.Publish(dir, key, func(staging string) error {
		var failed error
		for _, name := range assets {
			failed = errors.Join(failed, os.Symlink(paths[name], filepath.Join(staging, name)))
		}
		return failed
	})
}
