// Package invoke has a Member's agent submit a transaction or evaluate one, with the Member's own user identity, inside
// the Member's own cluster: the key is read there and stays there. It must not hold a key nor speak to a ledger itself.
package invoke

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/kubectl-hanse/access"
)

type options struct {
	consortium, channel, contract, agentNamespace string
	query, endorsers                              bool
}

// Command is `kubectl hanse invoke`.
func Command(flags *access.Flags) *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:   "invoke FUNCTION [ARGUMENT ...]",
		Short: "Submit a transaction through this organization's peer, or evaluate one with --query",
		Example: `  kubectl hanse invoke --consortium trade --channel settlement --contract notary Put invoice-7 9f86d0… sha256 '{}'
  kubectl hanse invoke --consortium trade --channel settlement --contract notary --query Get invoice-7`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := flags.Open()
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), cluster, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.consortium, "consortium", "", "the consortium")
	cmd.Flags().StringVar(&o.channel, "channel", "", "the channel")
	cmd.Flags().StringVar(&o.contract, "contract", "", "the contract")
	cmd.Flags().BoolVar(&o.query, "query", false, "evaluate on this organization's peer, and write nothing")
	cmd.Flags().BoolVar(&o.endorsers, "endorsers", false, "say after the answer who has endorsed the transaction, as its block has it")
	cmd.Flags().StringVar(&o.agentNamespace, "agent-namespace", "hanse-system", "namespace of the member agent")
	cmd.MarkFlagsMutuallyExclusive("query", "endorsers")
	for _, name := range []string{"consortium", "channel", "contract"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// arguments is the command line of the agent, whose image holds the program at its root and nothing else.
func (o options) arguments(call []string) []string {
	line := []string{"/member-agent", "invoke", "--consortium", o.consortium, "--channel", o.channel, "--contract", o.contract}
	if o.query {
		line = append(line, "--query")
	}
	if o.endorsers {
		line = append(line, "--endorsers")
	}
	return append(append(line, "--"), call...)
}

func (o options) run(ctx context.Context, cluster *access.Cluster, call []string, out, errOut io.Writer) error {
	pod, err := agentPod(ctx, cluster.Client, o.agentNamespace)
	if err != nil {
		return err
	}
	request := cluster.Clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{
		Container: pod.Spec.Containers[0].Name, Command: o.arguments(call), Stdout: true, Stderr: true,
	}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(cluster.Config, "GET", request.URL().String())
	if err != nil {
		return fmt.Errorf("reach the agent's pod %s: %w", pod.Name, err)
	}
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: out, Stderr: errOut}); err != nil {
		return fmt.Errorf("the agent in pod %s could not do it: %w", pod.Name, err)
	}
	return nil
}

// agentPod finds a ready pod of the agent.
func agentPod(ctx context.Context, objects client.Client, namespace string) (*corev1.Pod, error) {
	var pods corev1.PodList
	if err := objects.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/name": "member-agent"}); err != nil {
		return nil, fmt.Errorf("look for the agent's pod in %s: %w", namespace, err)
	}
	for i := range pods.Items {
		for _, condition := range pods.Items[i].Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return &pods.Items[i], nil
			}
		}
	}
	return nil, fmt.Errorf("no member agent is ready in namespace %s of this cluster: is this an organization's cluster? kubectl -n %s get pods", namespace, namespace)
}
