package status

import (
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestLineStateOfTwoEnds(t *testing.T) {
	const up, down, unknown, none = v1alpha1.LineUp, v1alpha1.LineDown, v1alpha1.LineUnknown, v1alpha1.LineState("")
	for _, c := range []struct {
		why  string
		a, b *endReport
		want v1alpha1.LineState
	}{
		{"each reaches the other", &endReport{up, up}, &endReport{up, up}, up},
		{"one does not", &endReport{down, unknown}, &endReport{up, down}, down},
		{"its own word counts, not what the other remembers of it", &endReport{up, up}, &endReport{up, down}, up},
		{"its own word counts, and is not hidden by the other's", &endReport{down, up}, &endReport{up, up}, down},
		{"one is not heard, and the other says that both ways work", nil, &endReport{up, up}, up},
		{"one is not heard, and did not reach the other last", nil, &endReport{up, down}, down},
		{"one is not heard, and its way was never known", nil, &endReport{up, unknown}, unknown},
		{"one is not heard, and an old report says nothing of its way", &endReport{up, none}, nil, unknown},
		{"one is not heard, and the other does not reach it: down is known", nil, &endReport{down, unknown}, down},
		{"neither is heard: lost contact is unknown, not down", nil, nil, unknown},
		{"neither has probed it", &endReport{unknown, unknown}, &endReport{unknown, unknown}, unknown},
		{"one way is up, the other is not known", &endReport{up, unknown}, &endReport{unknown, up}, unknown},
		{"a state that this version does not know is none", &endReport{"Degraded", up}, &endReport{up, up}, unknown},
	} {
		for i, ends := range [][2]*endReport{{c.a, c.b}, {c.b, c.a}} {
			if got := bothWays(oneWay(ends[0], ends[1]), oneWay(ends[1], ends[0])); got != c.want {
				t.Errorf("%s (order %d): %s, want %s", c.why, i, got, c.want)
			}
		}
	}
}
