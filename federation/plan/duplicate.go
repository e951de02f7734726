package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// olderDuplicate is the name of the oldest line between the same two addresses, whichever Members it names; empty if line
// itself is the oldest. Only the oldest one is valid.
func olderDuplicate(line *v1alpha1.Line, others []v1alpha1.Line) string {
	addresses := AddressKey(line)
	if addresses == "" {
		return ""
	}
	oldest := line
	for i := range others {
		other := &others[i]
		if other.Name != line.Name && other.DeletionTimestamp.IsZero() && isOlderLine(other, oldest) && addresses == AddressKey(other) {
			oldest = other
		}
	}
	if oldest == line {
		return ""
	}
	return oldest.Name
}

// isOlderLine is whether a was created before b; of two created in the same second, the first by name is older.
func isOlderLine(a, b *v1alpha1.Line) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}

// AddressKey is a normalized key of a line's pair of addresses and ports; empty for a line that was not decoded completely.
func AddressKey(line *v1alpha1.Line) string {
	if len(line.Spec.Ends) != 2 || !line.Undecodable.InStatus() {
		return ""
	}
	ends := make([]string, 0, 2)
	for _, end := range line.Spec.Ends {
		if end.Address == "" {
			return "none " + line.Name
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

// validLines are the lines that were decoded completely, are not being deleted, and have no older duplicate.
func validLines(all []v1alpha1.Line) []*v1alpha1.Line {
	first := map[string]*v1alpha1.Line{}
	for i := range all {
		line := &all[i]
		addresses := AddressKey(line)
		if addresses == "" || !line.DeletionTimestamp.IsZero() {
			continue
		}
		if other := first[addresses]; other == nil || isOlderLine(line, other) {
			first[addresses] = line
		}
	}
	var valid []*v1alpha1.Line
	for i := range all {
		if first[AddressKey(&all[i])] == &all[i] {
			valid = append(valid, &all[i])
		}
	}
	return valid
}
