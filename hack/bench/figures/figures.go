// Package figures holds what was measured: each figure with the aim that it is held against, printed as one table and
// written as JSON. It must not know how anything is measured.
package figures

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// Figure is one measured value. Values are those of the single runs, and Value is their median.
type Figure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Value is the median of Values.
	Value float64 `json:"value"`
	// Aim that Value is held against; none if nil. It is a least value if AtLeast is set, else a greatest one.
	Aim     *float64  `json:"aim,omitempty"`
	AtLeast bool      `json:"atLeast,omitempty"`
	Ratio   float64   `json:"ratio,omitempty"`
	Met     *bool     `json:"met,omitempty"`
	Values  []float64 `json:"values"`
}

// Set gathers figures in the order in which they were taken.
type Set struct {
	Figures []Figure `json:"figures"`
	// Notes say what went wrong, or what a reader has to know.
	Notes []string `json:"notes,omitempty"`
}

// Note adds a sentence.
func (s *Set) Note(format string, arguments ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, arguments...))
}

// Plain adds a figure without an aim.
func (s *Set) Plain(name, unit string, values ...float64) {
	if len(values) > 0 {
		s.Figures = append(s.Figures, Figure{Name: name, Unit: unit, Value: Median(values), Values: values})
	}
}

// AtMost adds a figure that is to be no greater than its aim.
func (s *Set) AtMost(name, unit string, aim float64, values ...float64) {
	s.held(name, unit, aim, false, values)
}

// AtLeast adds a figure that is to be no less than its aim.
func (s *Set) AtLeast(name, unit string, aim float64, values ...float64) {
	s.held(name, unit, aim, true, values)
}

func (s *Set) held(name, unit string, aim float64, least bool, values []float64) {
	if len(values) == 0 {
		return
	}
	value := Median(values)
	met := value <= aim
	if least {
		met = value >= aim
	}
	f := Figure{Name: name, Unit: unit, Value: value, Values: values, Aim: &aim, AtLeast: least, Met: &met}
	if aim != 0 { // an aim of none at all has no multiples
		f.Ratio = value / aim
	}
	s.Figures = append(s.Figures, f)
}

// Value is a figure's value by its name; zero if it was not taken.
func (s *Set) Value(name string) float64 {
	for _, f := range s.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	return 0
}

// Print writes the table.
func (s *Set) Print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIGURE\tMEASURED\tAIM\tOF AIM\tMET\tRUNS")
	for _, f := range s.Figures {
		aim, ratio, met := "", "", ""
		if f.Aim != nil {
			sign := "≤"
			if f.AtLeast {
				sign = "≥"
			}
			aim, met = fmt.Sprintf("%s %.4g", sign, *f.Aim), "no"
			if *f.Aim != 0 {
				ratio = fmt.Sprintf("%.2f", f.Ratio)
			}
			if *f.Met {
				met = "yes"
			}
		}
		fmt.Fprintf(t, "%s\t%.4g %s\t%s\t%s\t%s\t%d\n", f.Name, f.Value, f.Unit, aim, ratio, met, len(f.Values))
	}
	t.Flush()
	for _, note := range s.Notes {
		fmt.Fprintln(w, "note: "+note)
	}
}

// JSON is the set for machines.
func (s *Set) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// Median of values; zero of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// Percentile is the value that p per cent of the values do not exceed, by nearest rank.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
