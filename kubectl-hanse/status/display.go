package status

import (
	"encoding/json"
	"io"

	"github.com/hanse-io/hanse/kubectl-hanse/output"
)

// display is where what is followed is shown.
type display interface {
	// show shows it, with what keeps it from being followed.
	show(v view, trouble string) error
	// end is called with the last that there was to show.
	end(v view) error
}

// display is a screen for people; for programs the documents go to out, and what happens until then to errOut.
func (o options) display(out, errOut io.Writer) display {
	if o.format.ForPeople() {
		return newScreen(out)
	}
	return &documents{format: o.format, every: o.watch, out: out, progress: newScreen(errOut)}
}

// documents prints the document of what is followed: every one that differs, or the last one alone.
type documents struct {
	format   *output.Format
	every    bool
	out      io.Writer
	progress *screen

	printer *output.Printer
	last    string
}

func (d *documents) show(v view, trouble string) error {
	if !d.every {
		return d.progress.show(v, trouble)
	}
	if trouble != "" {
		return d.progress.show(view{headline: trouble}, trouble)
	}
	return d.print(v)
}

func (d *documents) end(v view) error {
	if d.every {
		return nil
	}
	return d.print(v)
}

func (d *documents) print(v view) error {
	text, err := json.Marshal(v.document)
	if err != nil || string(text) == d.last {
		return err
	}
	d.last = string(text)
	if d.printer == nil {
		// One for all, which separates documents.
		printer, err := d.format.Printer()
		if err != nil {
			return err
		}
		d.printer = &printer
	}
	return d.printer.Print(d.out, v.kind, v.document)
}
