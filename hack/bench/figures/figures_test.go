package figures

import (
	"strings"
	"testing"
)

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, test := range []struct {
		why    string
		values []float64
		p      float64
		want   float64
	}{
		{"nothing was measured", nil, 50, 0},
		{"one value is every percentile", []float64{7}, 99, 7},
		{"nearest rank of the middle", hundred, 50, 50},
		{"the 99th of a hundred is not the greatest", hundred, 99, 99},
		{"all of them", hundred, 100, 100},
	} {
		if got := Percentile(test.values, test.p); got != test.want {
			t.Errorf("%s: %v, want %v", test.why, got, test.want)
		}
	}
}

func TestAims(t *testing.T) {
	var s Set
	s.AtMost("late", "ms", 10, 30, 5, 20)
	s.AtLeast("fast", "of direct", 0.95, 0.97)
	s.Plain("other", "s", 4)
	s.AtMost("not measured", "s", 1)
	if len(s.Figures) != 3 {
		t.Fatalf("%d figures: one without values is no figure", len(s.Figures))
	}
	if f := s.Figures[0]; f.Value != 20 || *f.Met || f.Ratio != 2 {
		t.Errorf("%+v: want the median, missed by a factor of two", f)
	}
	if f := s.Figures[1]; !*f.Met {
		t.Errorf("%+v: more than the least is met", f)
	}
	var text strings.Builder
	s.Print(&text)
	if lines := strings.Count(text.String(), "\n"); lines != 4 {
		t.Errorf("%d lines, want a heading and three figures:\n%s", lines, text.String())
	}
}
