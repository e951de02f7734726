package scale

import (
	"slices"
	"testing"
)

// TestTopology: each Member is in three Consortia of ten, and has a line to every other Member of them.
func TestTopology(t *testing.T) {
	for _, size := range Sizes {
		in, plans := map[string][]string{}, 0
		for c := range size.consortia() {
			members := membersOf(c)
			plans += len(members)
			for _, m := range members {
				in[m] = append(in[m], consortiumName(c))
			}
		}
		if len(in) != int(size) || plans != size.plans() {
			t.Errorf("%s: %d Members take part, in %d plans", size, len(in), plans)
		}
		lines := map[string]int{}
		for i := range int(size) {
			if got := consortiaOf(i); !slices.Equal(in[memberName(i)], got) || len(got) != groupConsortia {
				t.Errorf("%s: %s is in %v, not in %v", size, memberName(i), in[memberName(i)], got)
			}
			var met []string
			for _, n := range neighbours(i) {
				lines[n.line]++
				met = append(met, n.member)
			}
			for _, m := range membersOf(i / groupMembers * groupConsortia) {
				if m != memberName(i) && !slices.Contains(met, m) {
					t.Errorf("%s: no line between %s and %s", size, memberName(i), m)
				}
			}
		}
		for line, ends := range lines {
			if ends != 2 {
				t.Errorf("%s: line %s has %d ends", size, line, ends)
			}
		}
	}
}
