package policy

import (
	"fmt"
	"regexp"
	"strings"
)

// Registry is a registry of the organization's own from which all images of nodes and contracts are pulled, with a path if
// they lie below one: registry.example.com/mirror. When it is empty, images come from where their references say.
type Registry string

var registry = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)

// Validate says what is wrong with a registry.
func (r Registry) Validate() error {
	if r != "" && (!registry.MatchString(string(r)) || len(r) > 255) {
		return fmt.Errorf("%q is no registry: write one such as registry.example.com:5000 or registry.example.com/mirror, without a scheme and without a slash at the end", string(r))
	}
	return nil
}

// Pulled is the reference under which an image is pulled: the registry takes the place of the one in the reference, path, tag
// and digest stay. What lies in the registry already stays as it is. Lists of allowed images, approvals and ledgers go by
// the reference as it was declared, so that organizations with different registries agree on it.
func (r Registry) Pulled(reference string) string {
	if r == "" || strings.HasPrefix(reference, string(r)+"/") {
		return reference
	}
	_, path, _ := strings.Cut(normalise(reference), "/")
	return string(r) + "/" + path
}
