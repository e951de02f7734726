// Package environment prepares a folder with which applications, and the ledger's own command line, act as an
// organization. It reads that organization's Secrets with the person's own rights, in the organization's own cluster. It
// must not talk to the host.
package environment

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/kubectl-hanse/completion"
	"github.com/hanse-io/hanse/kubectl-hanse/connection"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/output"
	"github.com/hanse-io/hanse/ledger"
)

// The identities that there are.
const (
	// admin signs what binds the organization, and opens the administration of its own nodes.
	admin = "admin"
	// user is for applications: it signs transactions, and nothing else.
	user = "user"
)

type options struct {
	tools        ledger.Tools
	folder, user string
	format       *output.Format
}

// Environment is what `kubectl hanse env -o json` prints: no key, but where the keys are.
type Environment struct {
	Consortium string `json:"consortium"`
	Member     string `json:"member"`
	// Identity is admin or user.
	Identity string `json:"identity"`
	// Folder that has been written, as a full path, and its Files by their paths in it.
	Folder string   `json:"folder"`
	Files  []string `json:"files"`
	// Variables with which the ledger's own programs use the folder.
	Variables map[string]string `json:"variables"`
	// Missing are the Members that are not in the connection profile yet.
	Missing []string `json:"missing,omitempty"`
}

// Command is `kubectl hanse env`.
func Command(flags *genericclioptions.ConfigFlags, tools ledger.Tools) *cobra.Command {
	o := options{tools: tools, format: output.NewFormat("")}
	cmd := &cobra.Command{
		Use:   "env CONSORTIUM --out FOLDER",
		Short: "Write one of this organization's identities to a folder, for an application or for Fabric's peer command",
		Long: `Writes one of this organization's identities, private key included, to --out (mode 0700), with all that it takes to
connect, and prints the environment with which Fabric's own "peer" command uses it.

With --identity user the folder is for an application: it holds that identity, the connection profile and public roots.
With --identity admin, the default, it also holds the TLS key that opens the administration of the organization's own nodes.

The addresses are the nodes' names in the cluster: they resolve in its pods. docs/applications.md has the rest.`,
		Example: `  eval "$(kubectl hanse env trade --out ./org1)" && peer channel getinfo -c settlement
  kubectl hanse env trade --identity user --out ./application`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.user != admin && o.user != user {
				return exitcode.Usagef("--identity %q is neither admin nor user", o.user)
			}
			if err := o.format.Validate(); err != nil {
				return err
			}
			folder, err := usable(o.folder)
			if err != nil {
				return err
			}
			cluster, err := kube.Open(flags)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), cluster.Client, args[0], folder, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
		ValidArgsFunction: completion.First(completion.Consortia(flags, true)),
	}
	cmd.Flags().StringVar(&o.folder, "out", "", "folder to write to; it must not exist or be empty")
	cmd.Flags().StringVar(&o.user, "identity", admin, "which identity: admin, or user for applications")
	_ = cmd.MarkFlagRequired("out")
	_ = cmd.MarkFlagDirname("out")
	_ = cmd.RegisterFlagCompletionFunc("identity", cobra.FixedCompletions([]string{admin, user}, cobra.ShellCompDirectiveNoFileComp))
	o.format.AddFlags(cmd)
	return cmd
}

func (o options) run(ctx context.Context, objects client.Client, consortium, folder string, out, errOut io.Writer) error {
	found, err := connection.Read(ctx, objects, o.tools, "env", consortium)
	if err != nil {
		return err
	}
	member := found.Environment.Member()
	if !found.Environment.RunsNodes() {
		return fmt.Errorf("%s runs no node in consortium %s yet: `kubectl hanse status %s` says what it waits for", member, consortium, consortium)
	}
	identityName, operatorName := found.Environment.Secrets(o.user == admin)
	identity, err := secret(ctx, objects, found.Namespace, identityName)
	if err != nil {
		return err
	}
	var operator map[string][]byte
	if operatorName != "" {
		if operator, err = secret(ctx, objects, found.Namespace, operatorName); err != nil {
			return err
		}
	}
	files := found.Environment.Files(identity, operator)
	if err := write(folder, files); err != nil {
		return err
	}
	if len(found.Missing) > 0 {
		fmt.Fprintf(errOut, "# not in the connection profile yet: %s\n", strings.Join(found.Missing, ", "))
	}
	variables := found.Environment.Variables(folder, o.user == admin)
	if o.format.ForPeople() {
		_, err = io.WriteString(out, exports(variables))
		return err
	}
	return o.format.Print(out, "Environment", &Environment{
		Consortium: consortium, Member: member, Identity: o.user, Folder: folder,
		Files: slices.Sorted(maps.Keys(files)), Variables: variables, Missing: found.Missing,
	})
}

// secret reads an issued identity.
func secret(ctx context.Context, objects client.Client, namespace, name string) (map[string][]byte, error) {
	var s corev1.Secret
	err := objects.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &s)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no identity %s in %s yet: kubectl -n %s describe certificate %s", name, namespace, namespace, name)
	}
	if err != nil {
		return nil, kube.Explain(fmt.Sprintf("read Secret %s in %s", name, namespace), err)
	}
	for _, key := range []string{"tls.crt", "tls.key", "ca.crt"} {
		if len(s.Data[key]) == 0 {
			return nil, fmt.Errorf("the identity %s in %s has no %s yet: kubectl -n %s describe certificate %s", name, namespace, key, namespace, name)
		}
	}
	return s.Data, nil
}

// exports prints shell assignments for the ledger's own programs. Pure.
func exports(values map[string]string) string {
	var lines []string
	for name, value := range values {
		lines = append(lines, fmt.Sprintf("export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
