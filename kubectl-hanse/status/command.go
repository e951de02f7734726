// Package status shows where a Consortium stands as a tree: members, nodes, lines, channels, contracts, and for each
// what it waits for. Reading is here, drawing is pure (tree.go). It must not change anything.
package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/completion"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/output"
	"github.com/hanse-io/hanse/kubectl-hanse/watcher"
	"github.com/hanse-io/hanse/ledger"
)

type options struct {
	watch   bool
	wait    bool
	timeout time.Duration
	// agentNamespace counts in an organization's own cluster.
	agentNamespace string
	planners       ledger.Planners
	format         *output.Format
}

func (o options) wide() bool { return o.format.Chosen() == output.Wide }

// Command is `kubectl hanse status`.
func Command(flags *genericclioptions.ConfigFlags, planners ledger.Planners) *cobra.Command {
	o := options{planners: planners, format: output.NewFormat("", output.Wide)}
	cmd := &cobra.Command{
		Use:   "status CONSORTIUM",
		Short: "Show where a consortium stands, and what waits for whom",
		Example: `  kubectl hanse status trade --wait
  kubectl hanse status trade -o json | jq '.waitsFor[] | {kind, name, member, message}'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.format.Validate(); err != nil {
				return err
			}
			cluster, err := kube.Open(flags)
			if err != nil {
				return err
			}
			if !kube.IsHost(cluster.Client) {
				return o.runMember(cmd.Context(), cluster.Client, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return o.run(cmd.Context(), cluster, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
		ValidArgsFunction: completion.First(completion.Consortia(flags, false)),
	}
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "go on showing it until interrupted")
	cmd.Flags().BoolVar(&o.wait, "wait", false, "go on showing it until it is ready; exit 7 if that takes longer than --timeout")
	cmd.Flags().StringVar(&o.agentNamespace, "agent-namespace", "hanse-system", "namespace of the member agent, in an organization's own cluster")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long --wait waits")
	_ = cmd.RegisterFlagCompletionFunc("agent-namespace", completion.Namespaces(flags))
	o.format.AddFlags(cmd)
	return cmd
}

func (o options) run(ctx context.Context, cluster *kube.Cluster, name string, out, errOut io.Writer) error {
	if o.watch || o.wait {
		render := func(ctx context.Context, reader client.Reader) (view, error) {
			s, err := o.read(ctx, reader, cluster.Namespace, name)
			if errors.Is(err, errNoConsortium) {
				err = elsewhere(ctx, cluster.Client, cluster.Namespace, name)
			}
			next := o.view(s)
			next.sources = sources(cluster.Namespace, name, s.Consortium)
			return next, err
		}
		return o.follow(ctx, cluster.Client, "consortium "+name, sources(cluster.Namespace, name, v1alpha1.Consortium{}), render, o.display(out, errOut))
	}
	snapshot, err := o.read(ctx, cluster.Client, cluster.Namespace, name)
	if errors.Is(err, errNoConsortium) {
		err = elsewhere(ctx, cluster.Client, cluster.Namespace, name)
	}
	if err != nil {
		return err
	}
	return o.print(out, o.view(snapshot))
}

func (o options) view(s Snapshot) view {
	tree, document := Tree, consortiumDocument(s)
	if o.wide() {
		tree = WideTree
	}
	return view{tree: tree(s, time.Now()), headline: headline(s), ready: document.Ready, kind: "ConsortiumStatus", document: &document}
}

// print prints what there is once.
func (o options) print(out io.Writer, v view) error {
	if o.format.ForPeople() {
		_, err := fmt.Fprint(out, v.tree)
		return err
	}
	return o.format.Print(out, v.kind, v.document)
}

// sources are what the tree of a Consortium is drawn of. Pure.
func sources(namespace, name string, c v1alpha1.Consortium) []watcher.Source {
	all := []watcher.Source{
		source("Consortium", namespace, name, "read consortium "+name),
		source("Channel", namespace, "", "read the channels in "+namespace),
		source("Contract", namespace, "", "read the contracts in "+namespace),
		source("Line", "", "", "read the lines"),
	}
	for _, m := range c.Spec.Members {
		all = append(all,
			source("Member", "", m.Name, "read member "+m.Name),
			source("MemberPlan", v1alpha1.MemberNamespace(m.Name), name, "read the plan of "+m.Name))
	}
	return all
}

func ready(s Snapshot) bool {
	whole := func(conditions []condition, generation int64) bool {
		found := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		return found != nil && found.Status == "True" && found.ObservedGeneration == generation
	}
	if !whole(s.Consortium.Status.Conditions, s.Consortium.Generation) {
		return false
	}
	for _, channel := range s.Channels {
		if !whole(channel.Status.Conditions, channel.Generation) {
			return false
		}
	}
	for _, contract := range s.Contracts {
		if !whole(contract.Status.Conditions, contract.Generation) {
			return false
		}
	}
	return true
}

var errNoConsortium = errors.New("there is no such consortium")

// read reads what belongs to one Consortium.
func (o options) read(ctx context.Context, objects client.Reader, namespace, name string) (Snapshot, error) {
	s := Snapshot{Planners: o.planners}
	if err := objects.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &s.Consortium); apierrors.IsNotFound(err) {
		return s, errNoConsortium
	} else if err != nil {
		return s, kube.Explain("read consortium "+name, err)
	}
	var channels v1alpha1.ChannelList
	var contracts v1alpha1.ContractList
	var lines v1alpha1.LineList
	if err := objects.List(ctx, &channels, client.InNamespace(namespace)); err != nil {
		return s, kube.Explain("read the channels in "+namespace, err)
	}
	if err := objects.List(ctx, &contracts, client.InNamespace(namespace)); err != nil {
		return s, kube.Explain("read the contracts in "+namespace, err)
	}
	if err := objects.List(ctx, &lines); err != nil {
		return s, kube.Explain("read the lines", err)
	}
	for _, member := range s.Consortium.Spec.Members {
		if err := s.readMember(ctx, objects, member.Name, name); err != nil {
			return s, err
		}
	}
	s.keep(channels.Items, contracts.Items, lines.Items)
	return s, nil
}

// readMember reads one Member and its plan; what is not there yet shows as unknown.
func (s *Snapshot) readMember(ctx context.Context, objects client.Reader, member, consortium string) error {
	var m v1alpha1.Member
	if err := objects.Get(ctx, types.NamespacedName{Name: member}, &m); client.IgnoreNotFound(err) != nil {
		return kube.Explain("read member "+member, err)
	}
	m.Name = member
	var plan v1alpha1.MemberPlan
	key := types.NamespacedName{Namespace: v1alpha1.MemberNamespace(member), Name: consortium}
	if err := objects.Get(ctx, key, &plan); client.IgnoreNotFound(err) != nil {
		return kube.Explain("read the plan of "+member, err)
	}
	s.Members = append(s.Members, MemberSnapshot{Member: m, Plan: plan})
	return nil
}

// keep keeps what concerns the Consortium.
func (s *Snapshot) keep(channels []v1alpha1.Channel, contracts []v1alpha1.Contract, lines []v1alpha1.Line) {
	isMember := func(name string) bool {
		return slices.ContainsFunc(s.Consortium.Spec.Members, func(m v1alpha1.ConsortiumMember) bool { return m.Name == name })
	}
	for _, line := range lines {
		if !slices.ContainsFunc(line.Spec.Ends, func(e v1alpha1.LineEnd) bool { return !isMember(e.Member) }) {
			s.Lines = append(s.Lines, line)
		}
	}
	for _, channel := range channels {
		if channel.Spec.Consortium == s.Consortium.Name {
			s.Channels = append(s.Channels, channel)
		}
	}
	for _, contract := range contracts {
		if slices.ContainsFunc(s.Channels, func(c v1alpha1.Channel) bool { return c.Name == contract.Spec.Channel }) {
			s.Contracts = append(s.Contracts, contract)
		}
	}
}
