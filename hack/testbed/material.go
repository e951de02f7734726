package testbed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/images"
	"github.com/hanse-io/hanse/hack/testbed/parts"
)

var (
	// programs are the parts that run as processes of a cluster.
	programs = []string{"etcd", "hyperkube", "local-provisioner", "network-policy"}
	// firstImages are what a cluster's own pods run from.
	firstImages = []string{"pause", "coredns"}
)

// material builds or finds what clusters are made of: programs, and the images that each cluster starts with. Programs in
// the directory ready, which may be empty, are taken from there.
func material(ctx context.Context, ready string, p *progress) (map[string]string, []string, error) {
	found := map[string]string{}
	var missing []string
	for _, name := range programs {
		path := filepath.Join(ready, name)
		if _, err := os.Stat(path); ready != "" && err == nil {
			found[name] = path
		} else {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		built, err := parts.Ensure(ctx, p, missing...)
		if err != nil {
			return nil, nil, err
		}
		for name, path := range built {
			found[name] = path
		}
	}
	archives, err := images.Ensure(ctx, p, firstImages...)
	if err != nil {
		return nil, nil, err
	}
	found, err = machineParts(found)
	if err != nil {
		return nil, nil, err
	}
	return found, ordered(archives, firstImages), nil
}

func ordered(archives map[string]string, names []string) []string {
	paths := make([]string, 0, len(names))
	for _, name := range names {
		paths = append(paths, archives[name])
	}
	return paths
}

// archives finds or makes image archives: what is a file is one already, what is the name of an image of the project is
// made.
func archives(ctx context.Context, p *progress, wanted []string) ([]string, error) {
	var paths, names []string
	for _, arg := range wanted {
		switch info, err := os.Stat(arg); {
		case err == nil && info.Mode().IsRegular(): // the clone has directories called like images
			paths = append(paths, arg)
		case slices.Contains(images.Names(), arg):
			names = append(names, arg)
		default:
			return nil, fmt.Errorf("%s is neither an image archive nor the name of an image; images are %s",
				arg, strings.Join(images.Names(), ", "))
		}
	}
	if len(names) == 0 {
		return paths, nil // without names, Ensure would make every image
	}
	made, err := images.Ensure(ctx, p, names...)
	if err != nil {
		return nil, err
	}
	return append(paths, ordered(made, names)...), nil
}
