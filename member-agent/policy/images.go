// Package policy is what an organization allows in its own cluster, whatever a plan says: which images may run there,
// from which registry they are pulled, and how much of the cluster plans may use. A node's pod mounts that node's keys, so that an image is as good as a key.
// Everything here is pure; it must know nothing of Kubernetes but how it writes quantities, nor of plans or any ledger.
package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// everything is the entry of a list that allows every image.
const everything = "*"

// Images are the prefixes of the image references that are allowed. None allows nothing.
type Images []string

// DefaultContractImages are what is allowed where the organization says nothing else; for nodes, each ledger's description has
// its own. The chart has the same.
var DefaultContractImages = Images{"ghcr.io/hanse-io/"}

var (
	// reference is a normalised reference: registry, path, and a tag, a digest, both or neither. What is not one may
	// be read in another way by the container runtime than it was here.
	reference = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@[a-z0-9+._-]+:[0-9a-fA-F]{32,})?$`)
	prefix    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$`)
)

// Validate says which entry is no prefix.
func (i Images) Validate() error {
	if len(i) == 0 {
		return errors.New("no image is allowed: give at least one prefix, or * to allow every image")
	}
	for _, p := range i {
		if p != everything && !prefix.MatchString(p) {
			return fmt.Errorf("%q is no prefix of an image: give one such as ghcr.io/hanse-io/, or * to allow every image", p)
		}
	}
	return nil
}

// Allows says whether an image may run. Both sides are written out in full first. A prefix that ends in one of / : @ is
// taken as text; any other has to be followed by one of these, or by nothing, so that it allows nothing that only
// begins alike.
func (i Images) Allows(image string) bool {
	if slices.Contains(i, everything) {
		return true
	}
	full := normalise(image)
	if !reference.MatchString(full) {
		return false
	}
	return slices.ContainsFunc(i, func(p string) bool {
		if !prefix.MatchString(p) {
			return false
		}
		rest, ok := strings.CutPrefix(full, normalisePrefix(p))
		return ok && (boundary(p[len(p)-1]) || rest == "" || boundary(rest[0]))
	})
}

// pinned is the end of a reference that names an image by what it holds.
var pinned = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// Pinned says whether an image is named by its digest, so that nobody can put another one under the name.
func Pinned(image string) bool {
	return reference.MatchString(normalise(image)) && pinned.MatchString(image)
}

func boundary(c byte) bool { return strings.IndexByte("/:@", c) >= 0 }

// normalise writes an image reference out in full, as container runtimes do: without a registry it is Docker Hub's,
// where a single name is in library.
func normalise(image string) string {
	registry, path, ok := strings.Cut(image, "/")
	if !ok || !isRegistry(registry) {
		registry, path = "docker.io", image
	}
	if registry == "index.docker.io" {
		registry = "docker.io"
	}
	if registry == "docker.io" && path != "" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return registry + "/" + path
}

// normalisePrefix does the same to a prefix, which may be a registry and nothing more.
func normalisePrefix(p string) string {
	if name, _, _ := strings.Cut(p, ":"); !strings.Contains(p, "/") && (name == "localhost" || strings.Contains(name, ".")) {
		return p
	}
	return normalise(p)
}

// isRegistry says whether the first part of a reference is a registry and not a part of the path.
func isRegistry(part string) bool {
	return part == "localhost" || strings.ContainsAny(part, ".:") || strings.ToLower(part) != part
}
