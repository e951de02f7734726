package statement

import (
	"cmp"
	"slices"
)

// kept is how many statements of one Member, kind and subject are kept where others may ask for them: the valid one, and the
// one before, which plans refer to until they are written anew.
const kept = 2

// Stored is a statement where it is stored, without its payload.
type Stored struct {
	Key      Key
	Sequence int64
	// Name of its object.
	Name string
}

// Surplus are those of the stored statements that need not be kept, in no order. It is the only rule of retention: an agent
// applies it to its own cluster, and to its own statements on the host.
func Surplus(stored []Stored) []Stored {
	byKey := map[Key][]Stored{}
	for _, s := range stored {
		byKey[s.Key] = append(byKey[s.Key], s)
	}
	var surplus []Stored
	for _, all := range byKey {
		slices.SortFunc(all, func(a, b Stored) int { return cmp.Compare(b.Sequence, a.Sequence) })
		if len(all) > kept {
			surplus = append(surplus, all[kept:]...)
		}
	}
	return surplus
}
