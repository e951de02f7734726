package buildcmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestCommands(t *testing.T) {
	rows := []struct {
		why  string
		args []string
		err  string
	}{
		{"a part that there is not", []string{"parts", "kubeadm"}, "has no part"},
		{"an image that there is not", []string{"images", "peer"}, "there is no image"},
		{"assets take no names", []string{"assets", "etcd"}, "unknown command"},
		{"manifests of something else", []string{"manifests", "helm"}, "invalid argument"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			root := &cobra.Command{Use: "testbed", SilenceUsage: true, PersistentPreRunE: func(*cobra.Command, []string) error {
				return errors.New("run as root")
			}}
			root.AddCommand(Commands()...)
			root.SetArgs(row.args)
			root.SetOut(&bytes.Buffer{})
			root.SetErr(&bytes.Buffer{})
			if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("error %v, want one with %q", err, row.err)
			}
		})
	}
}
