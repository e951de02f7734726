// Package logging sets up structured logging by flags, one way for every program that runs in a cluster.
//
// It must know nothing of what is logged.
package logging

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Options are how a program logs.
type Options struct {
	// Level is the least level that is logged: debug, info, warn or error.
	Level string
	// Format is json or text.
	Format string
}

// Default logs everything but debug messages, as JSON.
func Default() Options { return Options{Level: "info", Format: "json"} }

// AddFlags adds the flags that say so.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Level, "log-level", o.Level, "least level that is logged: debug, info, warn or error")
	flags.StringVar(&o.Format, "log-format", o.Format, "format of the logs: json or text")
}

// Handler is what the options describe.
func (o *Options) Handler() (slog.Handler, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		return nil, fmt.Errorf("--log-level %q: use debug, info, warn or error", o.Level)
	}
	switch o.Format {
	case "json":
		return slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}), nil
	case "text":
		return slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}), nil
	}
	return nil, fmt.Errorf("--log-format %q: use json or text", o.Format)
}

// Set makes that logger the one that every library uses.
func (o *Options) Set() (*slog.Logger, error) {
	handler, err := o.Handler()
	if err != nil {
		return nil, err
	}
	log := slog.New(handler)
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(log)
	return log, nil
}
