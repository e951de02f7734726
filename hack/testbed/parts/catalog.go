package parts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// Names are the parts that Ensure knows, in the order of building; none outside of a clone.
func Names() []string {
	p, err := project.Load()
	if err != nil {
		return nil
	}
	return namesOf(p.Parts)
}

func namesOf(known []project.Part) []string {
	names := make([]string, 0, len(known))
	for _, p := range known {
		names = append(names, p.Name)
	}
	return names
}

// pick finds the parts of the names among those that are known; a program inside a part (kubectl) stands for its part. No
// name means all.
func pick(known []project.Part, names []string) ([]project.Part, error) {
	for _, name := range names {
		if !slices.ContainsFunc(known, func(p project.Part) bool { return p.Has(name) }) {
			return nil, fmt.Errorf("%s has no part %q; there are %s", project.File, name, strings.Join(namesOf(known), ", "))
		}
	}
	var picked []project.Part
	for _, p := range known {
		if len(names) == 0 || slices.ContainsFunc(names, p.Has) {
			picked = append(picked, p)
		}
	}
	return picked, nil
}

// expand fills a version into linker flags.
func expand(ldflags, version string) string {
	numbers := append(strings.Split(strings.TrimPrefix(version, "v"), "."), "", "")
	return strings.NewReplacer(
		"{version}", version, "{major}", numbers[0], "{minor}", numbers[1], "{commit}", version[strings.LastIndex(version, "-")+1:],
	).Replace(ldflags)
}
