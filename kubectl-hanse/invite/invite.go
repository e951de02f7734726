// Package invite declares a Member on the host and prints the helm command that its organization runs. What it prints
// holds a token that is good for one certificate request and only for a short time. It must not know what the agent
// does with it.
package invite

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/completion"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/output"
)

// DefaultChart is where the member agent's chart is published.
const DefaultChart = "oci://ghcr.io/hanse-io/charts/member-agent"

const fieldOwner = client.FieldOwner("kubectl-hanse")

type options struct {
	organization, mspID, server, caFile, chart string
	ttl, timeout                               time.Duration
	replace                                    bool
	format                                     *output.Format
}

// Command is `kubectl hanse invite`.
func Command(flags *genericclioptions.ConfigFlags) *cobra.Command {
	o := options{format: output.NewFormat("")}
	cmd := &cobra.Command{
		Use:   "invite MEMBER",
		Short: "Invite an organization: declare its Member and print the helm command that it runs in its cluster",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			cluster, err := kube.Open(flags)
			if err != nil {
				return err
			}
			if err := kube.OnHost(cluster.Client, "invite"); err != nil {
				return err
			}
			if err := o.address(cmd.Context(), cluster); err != nil {
				return err
			}
			now := time.Now()
			installation, err := o.run(cmd.Context(), cluster, args[0], now)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "# Run this in %s's cluster within %s. Its token is good for one agent.\n", args[0], o.ttl)
			fmt.Fprintf(cmd.ErrOrStderr(), "# From there, %s has to lead to this host's API server: if it does not, invite again with --host-server.\n", o.server)
			return o.print(cmd.OutOrStdout(), installation, now)
		},
		ValidArgsFunction: completion.First(completion.Members(flags)),
	}
	cmd.Flags().StringVar(&o.organization, "organization", "", "the organization's name as people know it; MEMBER if empty")
	cmd.Flags().StringVar(&o.mspID, "msp-id", "", "the organization's name on the ledger (Fabric's MSP ID), which cannot change afterwards; MEMBERMSP if empty")
	cmd.Flags().StringVar(&o.server, "host-server", "", "URL at which the organization reaches this host's API server; the kubeconfig's if empty and of use elsewhere")
	cmd.Flags().StringVar(&o.caFile, "host-ca-file", "", "PEM of the authority behind --host-server; the kubeconfig's if empty")
	cmd.Flags().StringVar(&o.chart, "chart", DefaultChart, "the member agent's chart: a reference or a folder")
	cmd.Flags().DurationVar(&o.ttl, "ttl", time.Hour, "how long the invitation stands; 10 minutes at least")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 30*time.Second, "how long to wait for the federation controller")
	cmd.Flags().BoolVar(&o.replace, "replace", false, "invite again a Member that has an agent; the new agent takes the old one's place")
	_ = cmd.MarkFlagDirname("chart")
	_ = cmd.MarkFlagFilename("host-ca-file")
	o.format.AddFlags(cmd)
	return cmd
}

// validate says what is wrong with the flags, whatever the cluster is.
func (o options) validate() error {
	if o.ttl < 10*time.Minute {
		return exitcode.Usagef("--ttl %s is too short: Kubernetes issues tokens for 10m or more", o.ttl)
	}
	return o.format.Validate()
}

func (o options) run(ctx context.Context, cluster *kube.Cluster, name string, now time.Time) (Installation, error) {
	authority, err := readAuthority(o.caFile, cluster.Config.CAData, cluster.Config.CAFile)
	if err != nil {
		return Installation{}, fmt.Errorf("read the host's authority: %w", err)
	}
	installation := Installation{Member: name, Server: o.server, CA: authority, Chart: o.chart, Replace: o.replace}
	if _, err := installation.Command(); err != nil {
		return Installation{}, err // before anything is declared
	}
	invitation := nonce()
	if installation.MSPID, err = o.declare(ctx, cluster.Client, name, invitation, now); err != nil {
		return Installation{}, err
	}
	installation.Token, err = o.token(ctx, cluster, name, invitation)
	return installation, err
}

// declare creates the Member, or puts a new invitation on the one that there is. It returns the MSP ID that was chosen for
// the Member, now or before.
func (o options) declare(ctx context.Context, objects client.Client, name, invitation string, now time.Time) (mspID string, err error) {
	var member v1alpha1.Member
	err = objects.Get(ctx, types.NamespacedName{Name: name}, &member)
	if client.IgnoreNotFound(err) != nil {
		return "", kube.Explain("read Member "+name, err)
	}
	isNew := apierrors.IsNotFound(err)
	if registration := member.Status.Registration; registration != nil && !o.replace {
		return "", fmt.Errorf("%s has an agent already (key %.16s): use --replace if a new agent is to take its place", name, registration.KeyFingerprint)
	}
	before := member.DeepCopy()
	expires := metav1.NewTime(now.Add(o.ttl))
	member.Name = name
	member.Spec.Invitation, member.Spec.InvitationExpires = invitation, &expires
	if o.organization != "" {
		member.Spec.Organization = o.organization
	}
	if member.Spec.Organization == "" {
		member.Spec.Organization = name
	}
	if o.mspID != "" {
		member.Spec.MSPID = o.mspID
	}
	if isNew {
		err = objects.Create(ctx, &member, fieldOwner)
	} else {
		err = objects.Patch(ctx, &member, client.MergeFrom(before), fieldOwner)
	}
	if err != nil {
		return "", kube.Explain("declare Member "+name, err)
	}
	return member.Spec.MSPID, nil
}

// token waits until the federation controller has made the account of this very invitation, and has a token issued for
// it.
func (o options) token(ctx context.Context, cluster *kube.Cluster, name, invitation string) (string, error) {
	namespace := v1alpha1.MemberNamespace(name)
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, o.timeout, true, func(ctx context.Context) (bool, error) {
		var account corev1.ServiceAccount
		err := cluster.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: v1alpha1.InviteServiceAccount}, &account)
		standing := account.DeletionTimestamp == nil && account.Annotations[v1alpha1.AnnotationInvitation] == invitation
		return err == nil && standing, client.IgnoreNotFound(err)
	})
	if err != nil {
		cause := err
		err = fmt.Errorf("the federation controller has not taken up the invitation of %s within %s (%w): is it running? kubectl -n hanse-system get pods", name, o.timeout, err)
		if wait.Interrupted(cause) {
			err = exitcode.With(exitcode.NotReady, err)
		}
		return "", err
	}
	seconds := int64(o.ttl / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	request, err = cluster.Clientset.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, v1alpha1.InviteServiceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return "", kube.Explain("have a token issued for "+name, err)
	}
	return request.Status.Token, nil
}
