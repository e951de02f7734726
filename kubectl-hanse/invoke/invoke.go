// Package invoke has a Member's agent submit a transaction or evaluate one, with the Member's own user identity, inside
// the Member's own cluster: the key is read there and stays there. It must not hold a key nor speak to a ledger itself.
package invoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/kubectl-hanse/completion"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/output"
)

type options struct {
	consortium, channel, contract, agentNamespace string
	query, endorsers                              bool
	timeout                                       time.Duration
	format                                        *output.Format
}

// Command is `kubectl hanse invoke`.
func Command(flags *genericclioptions.ConfigFlags) *cobra.Command {
	o := options{format: output.NewFormat("")}
	cmd := &cobra.Command{
		Use:   "invoke FUNCTION [ARGUMENT ...]",
		Short: "Submit a transaction through this organization's peer, or evaluate one with --query",
		Example: `  kubectl hanse invoke --consortium trade --channel settlement --contract notary Put invoice-7 9f86d0… sha256 '{}'
  kubectl hanse invoke --consortium trade --channel settlement --contract notary --query Get invoice-7`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.format.Validate(); err != nil {
				return err
			}
			cluster, err := kube.Open(flags)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), cluster, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVar(&o.consortium, "consortium", "", "the consortium")
	cmd.Flags().StringVar(&o.channel, "channel", "", "the channel")
	cmd.Flags().StringVar(&o.contract, "contract", "", "the contract")
	cmd.Flags().BoolVar(&o.query, "query", false, "evaluate on this organization's peer, and write nothing")
	cmd.Flags().BoolVar(&o.endorsers, "endorsers", false, "say after the answer who has endorsed the transaction, as its block has it")
	cmd.Flags().StringVar(&o.agentNamespace, "agent-namespace", "hanse-system", "namespace of the member agent")
	cmd.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long the agent tries")
	cmd.MarkFlagsMutuallyExclusive("query", "endorsers")
	for name, complete := range map[string]completion.Func{
		"consortium": completion.Consortia(flags, true), "channel": completion.Channels(flags), "contract": completion.Contracts(flags),
	} {
		_ = cmd.MarkFlagRequired(name)
		_ = cmd.RegisterFlagCompletionFunc(name, complete)
	}
	_ = cmd.RegisterFlagCompletionFunc("agent-namespace", completion.Namespaces(flags))
	o.format.AddFlags(cmd)
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
	if !o.format.ForPeople() {
		line = append(line, "--json")
	}
	line = append(line, "--timeout", o.timeout.String())
	return append(append(line, "--"), call...)
}

func (o options) run(ctx context.Context, cluster *kube.Cluster, call []string, out, errOut io.Writer) error {
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
	var answered, said bytes.Buffer
	to := out
	if !o.format.ForPeople() {
		to = &answered
	}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: to, Stderr: &said})
	if err != nil {
		return reason(pod.Name, said.String(), err)
	}
	if _, err = io.Copy(errOut, &said); err != nil || o.format.ForPeople() {
		return err
	}
	result, err := o.result(call, answered.Bytes())
	if err != nil {
		return err
	}
	return o.format.Print(out, "Invocation", &result)
}

// Failure is why the agent could not do it, in its own words.
type Failure struct {
	text string
	code int
}

func (f Failure) Error() string { return f.text }

// ExitCode is the code that the agent's own program ended with; docs/applications.md has them.
func (f Failure) ExitCode() int { return f.code }

// reason makes an error of what the agent's program said and how it ended. Pure.
func reason(pod, said string, err error) error {
	var ended exec.CodeExitError
	var upgrade *httpstream.UpgradeFailureError
	switch text := failureIn(said); {
	case errors.As(err, &ended) && text != "":
		return Failure{text, ended.Code}
	case errors.As(err, &ended):
		return Failure{fmt.Sprintf("the agent in pod %s ended with code %d and said nothing: %s", pod, ended.Code, silence(ended.Code)), ended.Code}
	case errors.As(err, &upgrade):
		// It does not unwrap what the API server has answered.
		err = upgrade.Cause
	}
	if apierrors.IsForbidden(err) {
		return kube.Explain("run a command in the agent's pod "+pod+" (create pods/exec)", err)
	}
	return kube.Explain("reach the agent's pod "+pod, err)
}

// failureIn is why the program failed: what it says last, after any warnings.
func failureIn(said string) string {
	const mark = "Error: "
	if at := strings.Index("\n"+said, "\n"+mark); at >= 0 {
		said = said[at+len(mark):]
	}
	return strings.TrimSpace(said)
}

// silence is why a program may have ended without a word.
func silence(code int) string {
	switch code {
	case 126, 127:
		return "its image has no program /member-agent; is it the agent's?"
	case 137:
		return "it was killed, most often because the pod's memory limit is too low for it"
	}
	return "its node may have stopped it; try again"
}

// agentPod finds a ready pod of the agent.
func agentPod(ctx context.Context, objects client.Client, namespace string) (*corev1.Pod, error) {
	var pods corev1.PodList
	if err := objects.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/name": "member-agent"}); err != nil {
		return nil, kube.Explain("look for the agent's pod in "+namespace, err)
	}
	for i := range pods.Items {
		for _, condition := range pods.Items[i].Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return &pods.Items[i], nil
			}
		}
	}
	if len(pods.Items) > 0 {
		return nil, exitcode.With(exitcode.NotReady, fmt.Errorf("no member agent is ready in namespace %s: kubectl -n %s get pods", namespace, namespace))
	}
	if kube.IsMembers(objects) && !kube.IsHost(objects) {
		return nil, fmt.Errorf("namespace %s has no member agent: --agent-namespace names the one that it is installed in", namespace)
	}
	return nil, kube.NotHere(objects, "invoke", "of that name")
}
