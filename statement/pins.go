package statement

import (
	"bytes"
	"crypto/x509"
	"maps"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Pins are the roots of Members, PEM by name. What is pinned is a root's key and subject, as they were first seen; the
// certificate about them is the newest that the key itself has signed. A Member that is not in a plan any more stays
// pinned: coming back it has to be the same one.
type Pins map[string]string

// Sizes of what is pinned, in bytes: the host decides on who is in a plan, and what is pinned stays.
const (
	// MaxRootBytes is the size of a Member's root, as its CRD has it.
	MaxRootBytes = 16 << 10
	// MaxPinsBytes is the size of all pins together. They have to fit into one ConfigMap.
	MaxPinsBytes = 900 << 10
)

// Comparison is what a plan's roots look like beside the pinned ones.
type Comparison struct {
	// Pins are the pinned roots, with those that were seen for the first time or renewed. They are what is to be trusted.
	Pins Pins
	// Renewed are the Members whose root has another certificate for the same key, sorted. Pins holds the new one.
	Renewed []string
	// Changed are the Members whose root is not the pinned one, sorted. The pinned one is kept.
	Changed []string
	// Unreadable are the Members whose root is no certificate, sorted. Nothing is pinned for them.
	Unreadable []string
	// Full are the Members whose roots would exceed MaxPinsBytes, sorted. Nothing is pinned for them.
	Full []string
	// Added is whether Pins has grown.
	Added bool
}

// size of all pins, in bytes.
func (p Pins) size() int {
	n := 0
	for name, root := range p {
		n += len(name) + len(root)
	}
	return n
}

// News is whether Pins has changed and has to be stored.
func (c Comparison) News() bool { return c.Added || len(c.Renewed) > 0 }

// Compare pins the roots that are seen for the first time, follows those that were renewed and finds those that have
// changed. Members that have not published a root yet are skipped. It changes nothing itself.
func (p Pins) Compare(members []v1alpha1.PlanMember) Comparison {
	c := Comparison{Pins: maps.Clone(p)}
	if c.Pins == nil {
		c.Pins = Pins{}
	}
	size := c.Pins.size()
	for _, m := range members {
		if m.Root == "" {
			continue
		}
		roots, err := ParseRoot(m.Root)
		if err != nil || len(m.Root) > MaxRootBytes {
			c.Unreadable = append(c.Unreadable, m.Name)
			continue
		}
		pinned, known := c.Pins[m.Name]
		switch {
		case !known && size+len(m.Name)+len(m.Root) > MaxPinsBytes:
			c.Full = append(c.Full, m.Name)
		case !known:
			c.Pins[m.Name] = m.Root
			c.Added = true
			size += len(m.Name) + len(m.Root)
		default:
			switch compareRoots(pinned, roots) {
			case renewed:
				if grown := size + len(m.Root) - len(pinned); grown > MaxPinsBytes {
					c.Full = append(c.Full, m.Name)
					continue
				}
				size += len(m.Root) - len(pinned)
				c.Pins[m.Name] = m.Root
				c.Renewed = append(c.Renewed, m.Name)
			case changed:
				c.Changed = append(c.Changed, m.Name)
			}
		}
	}
	slices.Sort(c.Full)
	slices.Sort(c.Renewed)
	slices.Sort(c.Changed)
	slices.Sort(c.Unreadable)
	return c
}

// change is what a root looks like beside the pinned one.
type change int

const (
	same change = iota
	renewed
	changed
)

// compareRoots compares certificates, not their PEM, which may be wrapped in more than one way. An older certificate of
// the pinned key is no change, nor is it gone back to: plans that are not all of the same moment show it for a while,
// and a host could keep showing it until it has expired.
func compareRoots(pinned string, roots []*x509.Certificate) change {
	was, err := ParseRoot(pinned)
	if err != nil || len(was) != len(roots) {
		return changed
	}
	newer, older := false, false
	for i, root := range roots {
		switch {
		case root.Equal(was[i]):
		case !reissued(was[i], root):
			return changed
		case root.NotBefore.After(was[i].NotBefore):
			newer = true
		default:
			older = true
		}
	}
	if newer && !older {
		return renewed
	}
	return same
}

// reissued says whether a certificate is another one for the same key and subject, made by whoever has that key: the
// host could put the key, which is public, into a certificate of its own making that lasts for ever, or not at all.
func reissued(was, now *x509.Certificate) bool {
	return bytes.Equal(was.RawSubjectPublicKeyInfo, now.RawSubjectPublicKeyInfo) &&
		bytes.Equal(was.RawSubject, now.RawSubject) &&
		bytes.Equal(now.RawIssuer, now.RawSubject) && now.CheckSignatureFrom(now) == nil
}
