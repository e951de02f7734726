package status

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/watcher"
)

const (
	// redrawInterval is the least time between two drawings, however much changes.
	redrawInterval = 250 * time.Millisecond
	// ageInterval is how often the ages are drawn anew. It costs no request.
	ageInterval = time.Second
)

// view is what there is to show at one moment.
type view struct {
	tree, headline string
	ready          bool
	// kind and document are the same for programs.
	kind     string
	document any
	// sources are what the view is made of.
	sources []watcher.Source
}

// viewFunc renders what a reader has.
type viewFunc func(context.Context, client.Reader) (view, error)

func source(kind, namespace, name, action string) watcher.Source {
	return watcher.Source{Kind: v1alpha1.GroupVersion.WithKind(kind), Namespace: namespace, Name: name, Action: action}
}

// follow renders a view again whenever one of its sources changes, until it is ready or, with --watch, until it is interrupted.
// what names it in errors.
func (o options) follow(parent context.Context, objects client.WithWatch, what string, first []watcher.Source, render viewFunc, to display) error {
	ctx, cancel := context.WithCancel(parent)
	if !o.watch {
		ctx, cancel = context.WithTimeout(parent, o.timeout)
	}
	defer cancel()
	cache := watcher.New(objects)
	cache.Follow(ctx, first)
	clock := time.NewTicker(ageInterval)
	defer clock.Stop()
	shown := view{sources: first}
	for {
		failures := cache.Failures()
		if err := fatalFailure(failures, shown.tree != ""); err != nil {
			return err
		}
		if cache.Complete() {
			next, err := render(ctx, cache)
			if err != nil {
				return err
			}
			if !slices.Equal(next.sources, shown.sources) {
				shown.sources = next.sources
				cache.Follow(ctx, next.sources)
				continue
			}
			shown = next
		}
		if shown.tree != "" {
			if err := to.show(shown, failureText(failures)); err != nil {
				return err
			}
			if !o.watch && shown.ready && len(failures) == 0 {
				return to.end(shown)
			}
			pause(ctx, redrawInterval)
		}
		select {
		case <-cache.Changed():
		case <-clock.C:
		case <-ctx.Done():
			ended := o.endedError(parent.Err() != nil, what, shown.tree != "", failureText(failures))
			if shown.tree != "" {
				ended = cmp.Or(to.end(shown), ended)
			}
			return ended
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// fatalFailure is a failure that ends the command: any before there is something to show, for the cluster or the person's rights
// may be the wrong ones; later only that something which has come to belong to it may not be read. Pure.
func fatalFailure(failures []watcher.Failure, drawn bool) error {
	for _, f := range failures {
		if !f.Synced && (!drawn || apierrors.IsForbidden(f.Err)) {
			return kube.Explain(f.Action, f.Err)
		}
	}
	return nil
}

// failureText says what is not followed at the moment; empty while everything is. Pure.
func failureText(failures []watcher.Failure) string {
	if len(failures) == 0 {
		return ""
	}
	more := ""
	if len(failures) > 1 {
		more = fmt.Sprintf(" (and %d more)", len(failures)-1)
	}
	return fmt.Sprintf("%s what is shown is the last that is known, and it is tried again: %v%s", unknown, kube.Explain(failures[0].Action, failures[0].Err), more)
}

// endedError is what is said when it is over without being ready. Pure.
func (o options) endedError(interrupted bool, what string, drawn bool, trouble string) error {
	switch {
	case o.watch && interrupted:
		return nil
	case interrupted:
		return exitcode.With(exitcode.Interrupted, fmt.Errorf("interrupted before %s was ready", what))
	case !drawn:
		return exitcode.With(exitcode.NotReady, fmt.Errorf("%s could not be read within %s: the cluster does not answer in time", what, o.timeout))
	}
	return exitcode.With(exitcode.NotReady, fmt.Errorf("%s is not ready after %s; %s", what, o.timeout, cmp.Or(trouble, "the tree above says what it waits for")))
}
