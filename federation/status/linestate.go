package status

import "github.com/hanse-io/hanse/api/v1alpha1"

// Who says what a line's state is, and how the two ends' words become one:
//
//  1. A gateway measures each of its lines: State is whether its own probes arrive, Reverse what the far end answers of its own.
//  2. An agent merges its gateways' reports of a line (package routing) into its Member's status, and the lines to another
//     Member, the best first, into its plan's.
//  3. The host decides nothing again. It has the words of two ends, and only the rule below to make one of them, for a Line as
//     for two Members of a Consortium.
//
// endReport is what one end says: whether it reaches the other, and whether the other says that it reaches this one.
type endReport struct {
	state, reverse v1alpha1.LineState
}

// oneWay is whether one end reaches the other: by its own word or, while nothing is heard of it, by what the other says of the
// way back. It is Unknown where neither is heard.
func oneWay(near, far *endReport) v1alpha1.LineState {
	state := v1alpha1.LineState("")
	switch {
	case near != nil:
		state = near.state
	case far != nil:
		state = far.reverse
	}
	if state != v1alpha1.LineUp && state != v1alpha1.LineDown {
		return v1alpha1.LineUnknown
	}
	return state
}

// bothWays is Down if either way is known to be down, Up if both are known to be up, and otherwise Unknown.
func bothWays(there, back v1alpha1.LineState) v1alpha1.LineState {
	switch {
	case there == v1alpha1.LineDown || back == v1alpha1.LineDown:
		return v1alpha1.LineDown
	case there == v1alpha1.LineUp && back == v1alpha1.LineUp:
		return v1alpha1.LineUp
	}
	return v1alpha1.LineUnknown
}
