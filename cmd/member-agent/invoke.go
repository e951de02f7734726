package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric"
)

// invocation is what the flags of `invoke` say.
type invocation struct {
	namespace, consortium, channel, contract string
	query, endorsers                         bool
	timeout                                  time.Duration
}

// invokeCommand calls a contract as the organization's user, from inside the organization's cluster. `kubectl hanse
// invoke` runs it in the agent's pod, so that the user's key is read there and stays there.
func invokeCommand() *cobra.Command {
	in := invocation{namespace: defaults().namespace, timeout: time.Minute}
	cmd := &cobra.Command{
		Use:   "invoke FUNCTION [ARGUMENT ...]",
		Short: "Submit a transaction to a contract as this organization's user, or evaluate one with --query",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := ctrl.GetConfig()
			if err != nil {
				return fmt.Errorf("find the API server: %w", err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), in.timeout)
			defer cancel()
			answer, err := in.call(ctx, config, args[0], args[1:])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", answer)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.namespace, "namespace", in.namespace, "namespace of the agent, where the mirrored plans are")
	f.StringVar(&in.consortium, "consortium", "", "the consortium")
	f.StringVar(&in.channel, "channel", "", "the channel")
	f.StringVar(&in.contract, "contract", "", "the contract")
	f.BoolVar(&in.query, "query", false, "evaluate on this organization's peers, and write nothing")
	f.BoolVar(&in.endorsers, "endorsers", false, "say after the answer who has endorsed the transaction, as its block has it")
	f.DurationVar(&in.timeout, "timeout", in.timeout, "how long to try")
	return cmd
}

func (in invocation) call(ctx context.Context, config *rest.Config, function string, arguments []string) (answer []byte, err error) {
	if in.consortium == "" || in.channel == "" || in.contract == "" {
		return nil, errors.New("--consortium, --channel and --contract are needed")
	}
	if in.query && in.endorsers {
		return nil, errors.New("what is evaluated with --query is in no block: leave --endorsers out")
	}
	scheme, err := scheme()
	if err != nil {
		return nil, err
	}
	own, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("make a client for the own cluster: %w", err)
	}
	var plan v1alpha1.MemberPlan
	if err := own.Get(ctx, client.ObjectKey{Namespace: in.namespace, Name: in.consortium}, &plan); err != nil {
		return nil, fmt.Errorf("read the plan of consortium %s: %w", in.consortium, err)
	}
	keys := func(ctx context.Context, name string) (ledger.KeyPair, error) {
		pair, err := identity.Read(ctx, own, plan.Spec.Namespace, name)
		if err == nil && pair == nil {
			err = errors.New("it has not been issued yet")
		}
		if err != nil {
			return ledger.KeyPair{}, err
		}
		return ledger.KeyPair{Certificate: pair.Certificate, Key: pair.Key, CA: pair.Authority}, nil
	}
	user := fabric.UserIdentity(plan.Spec.Member)
	contracts, err := fabric.New(fabric.Options{}).Client(ctx, &plan, keys, user, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, contracts.Close()) }()
	if in.query {
		return contracts.Evaluate(ctx, in.channel, in.contract, function, arguments...)
	}
	if in.endorsers {
		answer, receipt, err := contracts.SubmitForReceipt(ctx, in.channel, in.contract, function, arguments...)
		if err != nil {
			return nil, err
		}
		return fmt.Appendf(answer, "\n%s", receipt), nil
	}
	return contracts.Submit(ctx, in.channel, in.contract, function, arguments...)
}
