package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// olderTwin is the name of the oldest line between the same two addresses if it is older than line, whichever Members it
// names; empty if there is none. It is the one that has the road: those between are refused as line is.
func olderTwin(line *v1alpha1.Line, others []v1alpha1.Line) string {
	road := Road(line)
	if road == "" {
		return ""
	}
	oldest := line
	for i := range others {
		other := &others[i]
		if other.Name != line.Name && other.DeletionTimestamp.IsZero() && before(other, oldest) && road == Road(other) {
			oldest = other
		}
	}
	if oldest == line {
		return ""
	}
	return oldest.Name
}

// before is whether one line was there before another; of two made in the same second, the first by name.
func before(a, b *v1alpha1.Line) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}

// Road names the pair of addresses and ports that a line leads between, in one way for every way to write it; empty
// for a line that was not read whole.
func Road(line *v1alpha1.Line) string {
	if len(line.Spec.Ends) != 2 || !line.Undecodable.InStatus() {
		return ""
	}
	ends := make([]string, 0, 2)
	for _, end := range line.Spec.Ends {
		if end.Address == "" {
			return "nowhere " + line.Name
		}
		address := strings.ToLower(end.Address)
		if ip, err := netip.ParseAddr(end.Address); err == nil {
			address = ip.Unmap().String()
		}
		ends = append(ends, fmt.Sprintf("%s/%d", address, linePort(end)))
	}
	slices.Sort(ends)
	return strings.Join(ends, " ")
}

// soundLines are the lines that were read whole, that stay, and that no older one has the addresses of.
func soundLines(all []v1alpha1.Line) []*v1alpha1.Line {
	first := map[string]*v1alpha1.Line{}
	for i := range all {
		line := &all[i]
		road := Road(line)
		if road == "" || !line.DeletionTimestamp.IsZero() {
			continue
		}
		if other := first[road]; other == nil || before(line, other) {
			first[road] = line
		}
	}
	var sound []*v1alpha1.Line
	for i := range all {
		if first[Road(&all[i])] == &all[i] {
			sound = append(sound, &all[i])
		}
	}
	return sound
}
