// Package version says which versions of Hanse's programs meet in a cluster, and whether they go together. What others run
// is their own word, in the Members' statuses; where there is none, it is the label of the pods. It must not change
// anything.
package version

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/output"
)

type options struct {
	own        string
	clientOnly bool
	namespace  string
	format     *output.Format
}

// Command is `kubectl hanse version`. own is the plugin's version.
func Command(flags *genericclioptions.ConfigFlags, own string) *cobra.Command {
	o := options{own: own, format: output.NewFormat("", output.Wide)}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of the plugin, the host's controller and the members' agents, and whether they go together",
		Example: `  kubectl hanse version
  kubectl hanse version --client -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.format.Validate(); err != nil {
				return err
			}
			report, failed := o.read(cmd.Context(), flags)
			report.Skew = skews(report)
			if err := o.print(cmd.OutOrStdout(), report); err != nil {
				return err
			}
			for _, text := range report.Unknown {
				fmt.Fprintln(cmd.ErrOrStderr(), "unknown:", text)
			}
			for _, text := range report.Skew {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", text)
			}
			if failed == nil && len(report.Skew) > 0 {
				failed = exitcode.With(exitcode.Skew, fmt.Errorf("versions are too far apart: one minor version is supported"))
			}
			return failed
		},
	}
	cmd.Flags().BoolVar(&o.clientOnly, "client", false, "show the plugin's own version only, without asking a cluster")
	cmd.Flags().StringVar(&o.namespace, "agent-namespace", "hanse-system", "namespace of the member agent or, on a host, of the controller")
	o.format.AddFlags(cmd)
	return cmd
}

// read reads what there is. What has been read before an error is in the report all the same.
func (o options) read(ctx context.Context, flags *genericclioptions.ConfigFlags) (Report, error) {
	report := Report{Client: Program{Version: o.own, Platform: runtime.GOOS + "/" + runtime.GOARCH}}
	if o.clientOnly {
		return report, nil
	}
	cluster, err := kube.Open(flags)
	if err != nil {
		return report, err
	}
	server, err := cluster.Clientset.Discovery().ServerVersion()
	if err != nil {
		return report, kube.Explain("ask for the cluster's version", err)
	}
	report.Kubernetes = server.GitVersion
	switch {
	case kube.IsHost(cluster.Client):
		err = o.readHost(ctx, cluster.Client, &report)
	case kube.IsMembers(cluster.Client):
		version, why := o.podsVersion(ctx, cluster.Client, "member-agent")
		report.Agents = []Agent{{Version: version, Kubernetes: report.Kubernetes, Online: version != ""}}
		report.add(why)
	default:
		report.add("Hanse is not installed in this cluster: it does not serve " + v1alpha1.GroupName + "'s kinds")
	}
	return report, err
}

func (r *Report) add(unknown string) {
	if unknown != "" {
		r.Unknown = append(r.Unknown, unknown)
	}
}

// readHost takes the versions from the Members' statuses, which whoever may read Members sees.
func (o options) readHost(ctx context.Context, objects client.Client, report *Report) error {
	var members v1alpha1.MemberList
	if err := objects.List(ctx, &members); err != nil {
		return kube.Explain("read the members", err)
	}
	report.Federation = &Program{}
	for _, m := range members.Items {
		// One that is being taken over after an upgrade may still have the version before.
		if v := m.Status.FederationVersion; newer(v, report.Federation.Version) {
			report.Federation.Version = v
		}
		report.Agents = append(report.Agents, Agent{
			Member: m.Name, Version: m.Status.Agent.Version, Kubernetes: m.Status.Agent.KubernetesVersion,
			Online: meta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.MemberOnline),
		})
	}
	if report.Federation.Version == "" {
		var why string
		report.Federation.Version, why = o.podsVersion(ctx, objects, "federation")
		report.add(why)
	}
	return nil
}

// podsVersion is the version that the chart has written on a program's pods, or why it is not known.
func (o options) podsVersion(ctx context.Context, objects client.Client, program string) (version, why string) {
	var pods corev1.PodList
	if err := objects.List(ctx, &pods, client.InNamespace(o.namespace), client.MatchingLabels{"app.kubernetes.io/name": program}); err != nil {
		return "", kube.Explain("the version of "+program+": look for its pods in "+o.namespace, err).Error()
	}
	for i := range pods.Items {
		if v := pods.Items[i].Labels["app.kubernetes.io/version"]; newer(v, version) {
			version = v
		}
	}
	if version == "" {
		return "", fmt.Sprintf("the version of %s: namespace %s has no pod of it; --agent-namespace names another one", program, o.namespace)
	}
	return version, ""
}

func (o options) print(out io.Writer, r Report) error {
	if !o.format.ForPeople() {
		return o.format.Print(out, "Versions", &r)
	}
	table := printers.GetNewTabWriter(out)
	wide := o.format.Chosen() == output.Wide
	line := func(program, version, extra, kubernetes string) {
		if version == "" {
			version = "unknown"
		}
		if wide && kubernetes != "" {
			extra += " Kubernetes " + kubernetes
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", program, version, extra)
	}
	line("plugin", r.Client.Version, r.Client.Platform, "")
	if r.Federation != nil {
		line("controller", r.Federation.Version, "on this host", r.Kubernetes)
	}
	for _, a := range r.Agents {
		state := "online"
		if !a.Online {
			state = "not heard of"
		}
		if a.Member == "" {
			line("agent", a.Version, "in this cluster", a.Kubernetes)
			continue
		}
		line("agent of "+a.Member, a.Version, state, a.Kubernetes)
	}
	return table.Flush()
}
