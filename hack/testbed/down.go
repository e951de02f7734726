package testbed

import (
	"context"
	"fmt"
	"io"

	"github.com/hanse-io/hanse/hack/testbed/cleanup"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Down takes the testbed away with all its data.
func (t *Testbed) Down(ctx context.Context) error { return down(ctx, t.name, t.progress) }

// Down takes a testbed away with all its data, also one that is half made, or whose state cannot be read.
func Down(ctx context.Context, name string, out io.Writer) error {
	return down(ctx, name, newProgress(out))
}

func down(ctx context.Context, name string, p *progress) error {
	if err := topology.ValidateName(name); err != nil {
		return err
	}
	release, err := state.Lock(name)
	if err != nil {
		return err
	}
	defer release()
	// An interrupt must not leave half of a testbed: what has begun to go, goes.
	if err := cleanup.Down(context.WithoutCancel(ctx), name); err != nil {
		return fmt.Errorf("%w\ntestbed down can be run again", err)
	}
	p.say("testbed %s is gone", name)
	return nil
}
