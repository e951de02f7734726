package scale

import "fmt"

// Members stand in groups, of which each has as many Consortia among the same Members: so each Member is in three.
const (
	groupMembers   = 10
	groupConsortia = 3
)

// Size is a host of so many Members, and of three Consortia for every ten of them.
type Size int

// Sizes in which the host grows.
var Sizes = []Size{100, 300, 1000}

// consortia is how many there are.
func (s Size) consortia() int { return int(s) / groupMembers * groupConsortia }

// plans is how many there are: one for each Member of each Consortium.
func (s Size) plans() int { return s.consortia() * groupMembers }

func (s Size) String() string {
	return fmt.Sprintf("%d Members in %d Consortia", int(s), s.consortia())
}

func memberName(i int) string { return fmt.Sprintf("org%04d", i) }

func consortiumName(i int) string { return fmt.Sprintf("trade%04d", i) }

// membersOf are the Members of the i-th Consortium.
func membersOf(i int) []string {
	first := i / groupConsortia * groupMembers
	var names []string
	for m := range groupMembers {
		names = append(names, memberName(first+m))
	}
	return names
}

// consortiaOf are the Consortia that the i-th Member takes part in.
func consortiaOf(i int) []string {
	var names []string
	for c := range groupConsortia {
		names = append(names, consortiumName(i/groupMembers*groupConsortia+c))
	}
	return names
}

// neighbour is a Member with a line to another one.
type neighbour struct{ line, member string }

// neighbours of the i-th Member are the others of its group.
func neighbours(i int) []neighbour {
	var all []neighbour
	first := i - i%groupMembers
	for other := first; other < first+groupMembers; other++ {
		if other != i {
			all = append(all, neighbour{lineName(min(i, other), max(i, other)), memberName(other)})
		}
	}
	return all
}

func lineName(a, b int) string { return memberName(a) + "-" + memberName(b) }
