// Package routefile runs a gateway without Kubernetes: its routes come from a file, and nobody reads its reports. It must
// not know what is measured.
package routefile

import (
	"context"
	"os"
)

// Source is the path of a file of routes, which is read once.
type Source string

// Watch hands over the file's content, and then waits for ctx to end.
func (s Source) Watch(ctx context.Context, changed func([]byte)) error {
	text, err := os.ReadFile(string(s))
	if err != nil {
		return err
	}
	changed(text)
	<-ctx.Done()
	return ctx.Err()
}

// Sink drops reports.
type Sink struct{}

// Report drops one.
func (Sink) Report(context.Context, []byte) error { return nil }

// Withdraw drops none.
func (Sink) Withdraw(context.Context) error { return nil }
