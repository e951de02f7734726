package topology

import (
	"errors"
	"fmt"
	"net/netip"
)

// AddLine adds one more line between two clusters of the testbed.
func (f *Testbed) AddLine(a, b string) (Line, error) {
	for _, name := range []string{a, b} {
		if _, err := f.Cluster(name); err != nil {
			return Line{}, err
		}
	}
	if a == b {
		return Line{}, fmt.Errorf("a line joins two clusters, %s was named twice", a)
	}
	block, err := f.freeBlock()
	if err != nil {
		return Line{}, err
	}
	line := Line{A: a, B: b, Index: 1, Block: block}
	for _, l := range f.Lines {
		if l.Joins(a, b) && l.Index >= line.Index {
			line.Index = l.Index + 1
		}
	}
	if line.Index > 9 {
		return Line{}, fmt.Errorf("there are nine lines between %s and %s, and no more fit", a, b)
	}
	f.Lines = append(f.Lines, line)
	return line, nil
}

func (f *Testbed) ensureLines(a, b string, count int) error {
	have := 0
	for _, l := range f.Lines {
		if l.Joins(a, b) {
			have++
		}
	}
	for ; have < count; have++ {
		if _, err := f.AddLine(a, b); err != nil {
			return err
		}
	}
	return nil
}

func (f *Testbed) freeBlock() (int, error) {
	used := map[int]bool{}
	for _, l := range f.Lines {
		used[l.Block] = true
	}
	for number := range Blocks {
		if !used[number] {
			return number, nil
		}
	}
	return 0, errors.New("no address pair is free in " + LineCIDR)
}

// Line finds the line that a link names.
func (f *Testbed) Line(link Link) (Line, error) {
	for _, l := range f.Lines {
		if l.Joins(link.A, link.B) && l.Index == link.index() {
			return l, nil
		}
	}
	return Line{}, fmt.Errorf("there is no line number %d between %s and %s; `testbed line list` shows all lines", link.index(), link.A, link.B)
}

// Link is what the line is found by.
func (l Line) Link() Link { return Link{A: l.A, B: l.B, Index: l.Index} }

// Joins says whether the line is between the two clusters.
func (l Line) Joins(a, b string) bool { return l.A == a && l.B == b || l.A == b && l.B == a }

// Has says whether the line ends at the cluster.
func (l Line) Has(cluster string) bool { return l.A == cluster || l.B == cluster }

// Name is the name of the line and of its manifest: org1-org2, and org1-org2-2 for the second.
func (l Line) Name() string { return l.A + "-" + l.B + l.suffix() }

// Address is the address of the line's end at the cluster.
func (l Line) Address(cluster string) netip.Addr {
	first, second, err := Ends(LineCIDR, l.Block)
	switch {
	case err != nil || !l.Has(cluster):
		return netip.Addr{}
	case cluster == l.A:
		return first
	default:
		return second
	}
}

// Peer is the cluster at the other end.
func (l Line) Peer(cluster string) string {
	if cluster == l.A {
		return l.B
	}
	return l.A
}

// Interface is the name of the line's interface in the cluster's border namespace, told by who is at the other end.
func (l Line) Interface(cluster string) string { return "line-" + l.Peer(cluster) + l.suffix() }

func (l Line) suffix() string {
	if l.Index <= 1 {
		return ""
	}
	return fmt.Sprintf("-%d", l.Index)
}

// LinesOf lists the lines that end at the cluster.
func (f *Testbed) LinesOf(cluster string) []Line {
	var lines []Line
	for _, l := range f.Lines {
		if l.Has(cluster) {
			lines = append(lines, l)
		}
	}
	return lines
}
