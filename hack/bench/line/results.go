package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
)

// results are all the values measured, by what was measured and of whom.
type results struct {
	values map[string]map[string][]float64
}

func newResults() *results { return &results{map[string]map[string][]float64{}} }

func (r *results) add(what, of string, value float64) {
	if r.values[what] == nil {
		r.values[what] = map[string][]float64{}
	}
	r.values[what][of] = append(r.values[what][of], value)
}

func (r *results) median(what, of string) float64 {
	sorted := slices.Sorted(slices.Values(r.values[what][of]))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// ratio is the median, over the rounds, of what one competitor got for each that another got in the same round: what
// else the machine does in a round befalls both.
func (r *results) ratio(what, of, to string) float64 {
	a, b := r.values[what][of], r.values[what][to]
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if b[i] > 0 {
			ratios = append(ratios, a[i]/b[i])
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	slices.Sort(ratios)
	return (ratios[(len(ratios)-1)/2] + ratios[len(ratios)/2]) / 2
}

var measured = []struct {
	what, unit string
	scale      float64
}{
	{"streams-1", "1 stream, Gbit/s", 8e-9},
	{"streams-100", "100 streams, Gbit/s", 8e-9},
	{"connections", "connections/s", 1},
	{"streams-1-cpu", "1 stream, CPU s/GB", 1},
	{"streams-100-cpu", "100 streams, CPU s/GB", 1},
	{"connections-cpu", "connections, CPU s/1000", 1},
}

func (r *results) print(w io.Writer, s settings) error {
	fmt.Fprintf(w, "medians of %d rounds of %v, %d CPUs; in brackets the ratio to haproxy in the same round\n", s.rounds, s.duration, runtime.NumCPU())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\t")
	for _, name := range s.only {
		fmt.Fprintf(t, "%s\t", name)
	}
	fmt.Fprintln(t)
	for _, m := range measured {
		fmt.Fprintf(t, "%s\t", m.unit)
		for _, name := range s.only {
			fmt.Fprintf(t, "%.3g (%.2f)\t", r.median(m.what, name)*m.scale, r.ratio(m.what, name, "haproxy"))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

type entry struct {
	Median         float64   `json:"median"`
	RatioToDirect  float64   `json:"ratioToDirect,omitempty"`
	RatioToHAProxy float64   `json:"ratioToHAProxy,omitempty"`
	Values         []float64 `json:"values"`
}

// document is the results for machines: bytes and connections a second, CPU seconds.
func (r *results) document(s settings) map[string]any {
	all := map[string]map[string]entry{}
	for what, of := range r.values {
		all[what] = map[string]entry{}
		for name, values := range of {
			all[what][name] = entry{r.median(what, name), r.ratio(what, name, "direct"), r.ratio(what, name, "haproxy"), values}
		}
	}
	return map[string]any{"rounds": s.rounds, "seconds": s.duration.Seconds(), "cpus": runtime.NumCPU(), "results": all}
}
