package gather

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

type options struct {
	output, release string
	since           time.Duration
	logLimit        int64
}

// Command is `kubectl hanse gather`. version is the plugin's own.
func Command(flags *genericclioptions.ConfigFlags, version string) *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:   "gather",
		Short: "Make a support bundle of a cluster, without secrets: objects, events, logs, metrics and the outcome of check",
		Long: `Make a support bundle of a cluster, without secrets: objects, events, logs, metrics and the outcome of check.

It changes nothing, and reads what you may read. manifest.yaml in the bundle says what is in it, and what was left out and why.
Exit code 0 if the bundle was written, whatever was left out of it. docs/diagnostics.md says what is redacted; look through a
bundle all the same before you pass it on.`,
		Example: `  kubectl hanse gather
  kubectl hanse gather --since 24h --output bundle.tar.gz
  kubectl hanse gather -n hanse-trade`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.since < time.Second || o.logLimit < 1 {
				return exitcode.Usagef("--since %s or --log-limit %d is too little: give a second and a byte at least", o.since, o.logLimit)
			}
			cluster, err := kube.Open(flags)
			if err != nil {
				return err
			}
			g := &gatherer{cluster: cluster, source: kubelets{cluster.Clientset}, release: o.release, since: o.since, logLimit: o.logLimit,
				version: version, progress: cmd.ErrOrStderr(), redactor: knowing}
			if flags.Namespace != nil {
				g.only = *flags.Namespace
			}
			return o.write(cmd, g, time.Now().UTC())
		},
	}
	cmd.Flags().StringVar(&o.output, "output", "", "file to write, which must not exist; hanse-TIME.tar.gz if empty")
	cmd.Flags().StringVar(&o.release, "release-namespace", "hanse-system", "namespace that Hanse is installed in")
	cmd.Flags().DurationVar(&o.since, "since", time.Hour, "how far back logs go")
	cmd.Flags().Int64Var(&o.logLimit, "log-limit", 2<<20, "how much of one log is taken, in bytes")
	return cmd
}

// write makes the file, which only its owner can read. One that is not whole is removed.
func (o options) write(cmd *cobra.Command, g *gatherer, now time.Time) error {
	name := o.output
	if name == "" {
		name = "hanse-" + now.Format("20060102T150405Z") + ".tar.gz"
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: name another file with --output, or remove it", name)
	} else if err != nil {
		return fmt.Errorf("make the bundle: %w", err)
	}
	manifest, err := g.run(cmd.Context(), file, strings.TrimSuffix(filepath.Base(name), ".tar.gz"), now)
	if err = errors.Join(err, file.Close(), cmd.Context().Err()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "gather: %d files; %d things left out, for the reasons in manifest.yaml\n", len(manifest.Files), len(manifest.LeftOut))
	fmt.Fprintln(cmd.OutOrStdout(), name)
	return nil
}
