package images

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// ownImages are what every cluster's own pods run from.
var ownImages = []project.Image{
	{Name: "pause", Reference: "registry.k8s.io/pause:3.10",
		Binaries: []project.Binary{{Path: "/pause", Part: "pause"}}, Entrypoint: []string{"/pause"}},
	{Name: "coredns", Reference: "registry.k8s.io/coredns/coredns:v1.15.0",
		Binaries: []project.Binary{{Path: "/coredns", Part: "coredns"}}, Entrypoint: []string{"/coredns"}},
}

// catalog are the testbed's own images and the project's.
func catalog() ([]project.Image, error) {
	p, err := project.Load()
	if err != nil {
		return nil, err
	}
	return slices.Concat(ownImages, p.Images), nil
}

// Names are the images that Ensure knows; outside of a clone, the testbed's own.
func Names() []string {
	known, err := catalog()
	if err != nil {
		known = ownImages
	}
	names := make([]string, 0, len(known))
	for _, i := range known {
		names = append(names, i.Name)
	}
	return names
}

// pick finds the images of the names among those that are known; no name means all.
func pick(known []project.Image, names []string) ([]project.Image, error) {
	if len(names) == 0 {
		return known, nil
	}
	picked := make([]project.Image, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(known, func(i project.Image) bool { return i.Name == name })
		if i < 0 {
			var all []string
			for _, k := range known {
				all = append(all, k.Name)
			}
			return nil, fmt.Errorf("there is no image %q; there are %s", name, strings.Join(all, ", "))
		}
		picked = append(picked, known[i])
	}
	return picked, nil
}
