// Package completion completes names of what is in the cluster, for shells. A cluster that is slow or away, or a person
// without rights, yields no names and no error: nobody waits for a shell. It must not know what commands do with a name.
package completion

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

// patience is how long a shell waits at the most.
const patience = 2 * time.Second

// Func completes an argument or the value of a flag.
type Func = cobra.CompletionFunc

// lister lists names, each with a tab and a description behind it where there is one.
type lister func(ctx context.Context, cluster *kube.Cluster, cmd *cobra.Command) []string

// names makes a completion of a list that is read from the cluster.
func names(flags *genericclioptions.ConfigFlags, list lister) Func {
	return func(cmd *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		found := make(chan []string, 1)
		// Apart, for a credential plugin of a kubeconfig knows no deadline.
		go func() { found <- read(cmd, flags, list) }()
		select {
		case all := <-found:
			return matching(all, toComplete), cobra.ShellCompDirectiveNoFileComp
		case <-time.After(patience):
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
}

func read(cmd *cobra.Command, flags *genericclioptions.ConfigFlags, list lister) []string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	*flags.Timeout = patience.String()
	cluster, err := kube.Open(flags)
	if err != nil {
		return nil
	}
	return list(ctx, cluster, cmd)
}

// matching are those that begin with what is there already, sorted and each once. Pure.
func matching(all []string, begun string) []string {
	found := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !strings.HasPrefix(name, begun) })
	slices.Sort(found)
	return slices.Compact(found)
}

// First completes the first argument, and no further ones.
func First(complete Func) Func {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, toComplete)
	}
}

// Consortia completes a Consortium's name: on a host those of the namespace, in an organization's own cluster those that it
// takes part in. own is that only the latter are of use.
func Consortia(flags *genericclioptions.ConfigFlags, own bool) Func {
	return names(flags, func(ctx context.Context, cluster *kube.Cluster, cmd *cobra.Command) []string {
		if kube.IsHost(cluster.Client) {
			if own {
				return nil
			}
			var list v1alpha1.ConsortiumList
			return listed(ctx, cluster.Client, &list, cluster.Namespace, func() []v1alpha1.Consortium { return list.Items },
				func(c v1alpha1.Consortium) string { return c.Name })
		}
		var list v1alpha1.MemberPlanList
		return listed(ctx, cluster.Client, &list, agentNamespace(cmd), func() []v1alpha1.MemberPlan { return list.Items },
			func(p v1alpha1.MemberPlan) string { return p.Name })
	})
}

// Members completes the name of a Member that can be invited: with --replace any, else one without an agent.
func Members(flags *genericclioptions.ConfigFlags) Func {
	return names(flags, func(ctx context.Context, cluster *kube.Cluster, cmd *cobra.Command) []string {
		replace, _ := cmd.Flags().GetBool("replace")
		var list v1alpha1.MemberList
		return listed(ctx, cluster.Client, &list, "", func() []v1alpha1.Member { return list.Items }, func(m v1alpha1.Member) string {
			if m.Status.Registration != nil && !replace {
				return ""
			}
			return m.Name + "\t" + cmp.Or(m.Spec.Organization, m.Name)
		})
	})
}

// Namespaces completes a namespace.
func Namespaces(flags *genericclioptions.ConfigFlags) Func {
	return names(flags, func(ctx context.Context, cluster *kube.Cluster, _ *cobra.Command) []string {
		var list corev1.NamespaceList
		return listed(ctx, cluster.Client, &list, "", func() []corev1.Namespace { return list.Items }, func(n corev1.Namespace) string { return n.Name })
	})
}

// Channels completes a channel of the Consortium that --consortium names, in an organization's own cluster.
func Channels(flags *genericclioptions.ConfigFlags) Func {
	return names(flags, func(ctx context.Context, cluster *kube.Cluster, cmd *cobra.Command) []string {
		plan := ownPlan(ctx, cluster.Client, cmd)
		var found []string
		for _, c := range plan.Spec.Channels {
			found = append(found, c.Name)
		}
		// What all Members share of a large plan is not in the stored one; the agent reports of it.
		for _, c := range plan.Status.Channels {
			found = append(found, c.Name)
		}
		return found
	})
}

// Contracts completes a contract of the channel that --channel names, in an organization's own cluster.
func Contracts(flags *genericclioptions.ConfigFlags) Func {
	return names(flags, func(ctx context.Context, cluster *kube.Cluster, cmd *cobra.Command) []string {
		plan := ownPlan(ctx, cluster.Client, cmd)
		channel, _ := cmd.Flags().GetString("channel")
		var found []string
		for _, c := range plan.Spec.Contracts {
			if c.Channel == channel {
				found = append(found, c.Name)
			}
		}
		for _, c := range plan.Status.Contracts {
			if c.Channel == channel {
				found = append(found, c.Name)
			}
		}
		return found
	})
}

// ownPlan is the mirror of the plan for the Consortium that --consortium names; empty if it cannot be read.
func ownPlan(ctx context.Context, objects client.Client, cmd *cobra.Command) v1alpha1.MemberPlan {
	var plan v1alpha1.MemberPlan
	consortium, _ := cmd.Flags().GetString("consortium")
	if err := objects.Get(ctx, types.NamespacedName{Namespace: agentNamespace(cmd), Name: consortium}, &plan); err != nil {
		return v1alpha1.MemberPlan{}
	}
	return plan
}

func agentNamespace(cmd *cobra.Command) string {
	namespace, _ := cmd.Flags().GetString("agent-namespace")
	return cmp.Or(namespace, "hanse-system")
}

// listed are the names in a list; an empty one is left out.
func listed[T any](ctx context.Context, objects client.Client, list client.ObjectList, namespace string, items func() []T, name func(T) string) []string {
	if err := objects.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil
	}
	var found []string
	for _, item := range items() {
		if text := name(item); text != "" {
			found = append(found, text)
		}
	}
	return found
}

// Global has kubectl's own flags complete names from the cluster and from the kubeconfig.
func Global(root *cobra.Command, flags *genericclioptions.ConfigFlags) {
	_ = root.RegisterFlagCompletionFunc("namespace", Namespaces(flags))
	for flag, of := range map[string]func(*api.Config) []string{
		"context": func(c *api.Config) []string { return keys(c.Contexts) },
		"cluster": func(c *api.Config) []string { return keys(c.Clusters) },
		"user":    func(c *api.Config) []string { return keys(c.AuthInfos) },
	} {
		_ = root.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
			config, err := flags.ToRawKubeConfigLoader().RawConfig()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return matching(of(&config), toComplete), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

func keys[V any](of map[string]V) []string {
	var found []string
	for name := range of {
		found = append(found, name)
	}
	return found
}
