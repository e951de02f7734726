package logging

import (
	"log/slog"
	"testing"

	"github.com/spf13/pflag"
)

func TestHandler(t *testing.T) {
	for _, c := range []struct {
		why  string
		args []string
		ok   bool
		logs slog.Level // the least that is logged
	}{
		{"nothing said", nil, true, slog.LevelInfo},
		{"all there is, for people", []string{"--log-level=debug", "--log-format=text"}, true, slog.LevelDebug},
		{"a level in capitals", []string{"--log-level=ERROR"}, true, slog.LevelError},
		{"a level that is none", []string{"--log-level=loud"}, false, 0},
		{"a format that is none", []string{"--log-format=xml"}, false, 0},
	} {
		t.Run(c.why, func(t *testing.T) {
			o, flags := Default(), pflag.NewFlagSet("test", pflag.ContinueOnError)
			o.AddFlags(flags)
			if err := flags.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			handler, err := o.Handler()
			if (err == nil) != c.ok {
				t.Fatal(err)
			}
			if c.ok && (!handler.Enabled(t.Context(), c.logs) || handler.Enabled(t.Context(), c.logs-1)) {
				t.Errorf("does not log from %s on", c.logs)
			}
		})
	}
}
