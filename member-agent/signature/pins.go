package signature

import (
	"crypto/x509"
	"maps"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Pins are the roots of Members, PEM by name, as they were first seen. A Member that is not in a plan any more stays
// pinned: coming back it has to be the same one.
type Pins map[string]string

// Comparison is what a plan's roots look like beside the pinned ones.
type Comparison struct {
	// Pins are the pinned roots, with those that were seen for the first time. They are what is to be trusted.
	Pins Pins
	// Changed are the Members whose root is not the pinned one, sorted. The pinned one goes on to hold.
	Changed []string
	// Unreadable are the Members whose root is no certificate, sorted. Nothing is pinned for them.
	Unreadable []string
	// Added is whether Pins has grown, and wants to be kept.
	Added bool
}

// Compare pins the roots that are seen for the first time and finds those that have changed. Members that have not
// published a root yet are passed over. It changes nothing itself.
func (p Pins) Compare(members []v1alpha1.PlanMember) Comparison {
	c := Comparison{Pins: maps.Clone(p)}
	if c.Pins == nil {
		c.Pins = Pins{}
	}
	for _, m := range members {
		if m.Root == "" {
			continue
		}
		roots, err := ParseRoot(m.Root)
		if err != nil {
			c.Unreadable = append(c.Unreadable, m.Name)
			continue
		}
		pinned, known := c.Pins[m.Name]
		switch {
		case !known:
			c.Pins[m.Name] = m.Root
			c.Added = true
		case !sameRoots(pinned, roots):
			c.Changed = append(c.Changed, m.Name)
		}
	}
	slices.Sort(c.Changed)
	slices.Sort(c.Unreadable)
	return c
}

// sameRoots compares certificates, not their PEM, which may be wrapped in more than one way.
func sameRoots(pinned string, roots []*x509.Certificate) bool {
	was, err := ParseRoot(pinned)
	return err == nil && slices.EqualFunc(was, roots, (*x509.Certificate).Equal)
}
