package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/member-agent/identity"
)

// invocation is what the flags of `invoke` say.
type invocation struct {
	namespace, consortium, channel, contract string
	query, endorsers                         bool
	timeout                                  time.Duration
	// json is whether to print a ledger.Answer instead of text.
	json bool
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
				return exit(err)
			}
			if in.json {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(answer)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", in.text(answer))
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
	f.BoolVar(&in.json, "json", false, "print the answer with its transaction as JSON, in base64, for kubectl hanse invoke --output")
	f.DurationVar(&in.timeout, "timeout", in.timeout, "how long to try")
	return cmd
}

func (in invocation) call(ctx context.Context, config *rest.Config, function string, arguments []string) (answer *ledger.Answer, err error) {
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
	if err := in.read(ctx, own, &plan); err != nil {
		return nil, err
	}
	keys := func(ctx context.Context, name string) (ledger.KeyPair, error) {
		pair, err := identity.Read(ctx, own, plan.Spec.Namespace, name)
		if err == nil && pair == nil {
			err = errors.New("it has not been issued yet")
		}
		if err != nil {
			return ledger.KeyPair{}, err
		}
		return ledger.KeyPair{Certificate: pair.Certificate, Key: pair.Key, CA: pair.Authority, Public: pair.Public}, nil
	}
	var connector ledger.Connector = fabric.New(fabric.Options{})
	access, err := connector.Access(ctx, &plan, keys)
	if err != nil {
		return nil, err
	}
	contracts, err := connector.Client(access)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, contracts.Close()) }()
	call := ledger.Call{Channel: in.channel, Contract: in.contract, Function: function, Arguments: arguments}
	if in.query {
		text, err := contracts.Evaluate(ctx, call)
		return &ledger.Answer{Answer: text}, in.explainNotFound(&plan, err)
	}
	result, err := contracts.Submit(ctx, call)
	answer = &ledger.Answer{Answer: result.Answer, Transaction: result.Transaction, Block: result.Block}
	if err != nil || !in.endorsers {
		return answer, in.explainNotFound(&plan, err)
	}
	transaction, err := in.receipt(ctx, connector, access, result.Transaction)
	if err != nil {
		return nil, err
	}
	answer.Block = transaction.Block
	for _, e := range transaction.Endorsers {
		answer.Endorsers = append(answer.Endorsers, ledger.Endorser{Member: e.Member, Node: e.Name})
	}
	return answer, nil
}

// text is an answer for people. Pure.
func (in invocation) text(answer *ledger.Answer) []byte {
	if !in.endorsers {
		return answer.Answer
	}
	return fmt.Appendf(answer.Answer, "\n%s", endorsedBy(answer))
}

// receipt reads who has endorsed a transaction back out of its block at the organization's own node.
func (in invocation) receipt(ctx context.Context, connector ledger.Connector, access ledger.Access, id string) (transaction *ledger.Transaction, err error) {
	reader, err := connector.Reader(access)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	transaction, err = reader.Transaction(ctx, in.channel, id)
	if err != nil {
		return nil, fmt.Errorf("it was committed, and its block cannot be read: %w", err)
	}
	return transaction, nil
}

// endorsedBy says who has endorsed a transaction. Pure.
func endorsedBy(answer *ledger.Answer) string {
	var by []string
	for _, e := range answer.Endorsers {
		by = append(by, fmt.Sprintf("%s (%s)", e.Member, e.Node))
	}
	return fmt.Sprintf("endorsed by %s, says block %d of transaction %s", strings.Join(by, " and "), answer.Block, answer.Transaction)
}

// explainNotFound says of a failure that there is no such contract, if the plan has none of that name and nothing shows that it was
// committed by other hands. Pure.
func (in invocation) explainNotFound(plan *v1alpha1.MemberPlan, err error) error {
	var failed *ledger.Failure
	ran := errors.As(err, &failed) && (failed.Kind == ledger.FailedByContract || failed.Kind == ledger.FailedToCommit)
	if err == nil || ran || hasContract(plan, in.channel, in.contract) {
		return err
	}
	return fmt.Errorf("channel %s has no contract %s; it has: %s (what its peer says: %w)", in.channel, in.contract, contractsOn(plan, in.channel), err)
}

// read reads the plan, and says what there is if that has not got what is asked for.
func (in invocation) read(ctx context.Context, own client.Client, plan *v1alpha1.MemberPlan) error {
	err := own.Get(ctx, client.ObjectKey{Namespace: in.namespace, Name: in.consortium}, plan)
	if apierrors.IsNotFound(err) {
		var all v1alpha1.MemberPlanList
		if err := own.List(ctx, &all, client.InNamespace(in.namespace)); err != nil {
			return fmt.Errorf("look for the plan of consortium %s: %w", in.consortium, err)
		}
		var names []string
		for _, p := range all.Items {
			names = append(names, p.Name)
		}
		return fmt.Errorf("this organization takes part in no consortium %s: it has %s", in.consortium, listed(names))
	}
	if err != nil {
		return fmt.Errorf("read the plan of consortium %s: %w", in.consortium, err)
	}
	var channels []string
	for _, c := range plan.Spec.Channels {
		if slices.Contains(c.Members, plan.Spec.Member) {
			channels = append(channels, c.Name)
		}
	}
	if !slices.Contains(channels, in.channel) {
		return fmt.Errorf("%s is in no channel %s of consortium %s: it is in %s", plan.Spec.Member, in.channel, in.consortium, listed(channels))
	}
	return nil
}

// hasContract is whether the plan has a contract. One that was committed by other hands can be called all the same.
func hasContract(plan *v1alpha1.MemberPlan, channel, contract string) bool {
	return slices.ContainsFunc(plan.Spec.Contracts, func(c v1alpha1.PlanContract) bool { return c.Channel == channel && c.Name == contract })
}

func contractsOn(plan *v1alpha1.MemberPlan, channel string) string {
	var names []string
	for _, c := range plan.Spec.Contracts {
		if c.Channel == channel {
			names = append(names, c.Name)
		}
	}
	return listed(names)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// exitError is an error with the code that the program ends with, so that scripts can tell failures apart.
type exitError struct {
	error
	code int
}

// ExitCode is the code that the program ends with.
func (e exitError) ExitCode() int { return e.code }

func (e exitError) Unwrap() error { return e.error }

// exitCodes are part of the command's interface: docs/applications.md has them. 1 is anything else, 2 a wrong command line.
var exitCodes = map[ledger.FailureKind]int{
	ledger.FailedByContract: 3, ledger.FailedToBeEndorsed: 4, ledger.FailedToCommit: 5, ledger.FailedToReach: 6,
}

func exit(err error) error {
	var failed *ledger.Failure
	if errors.As(err, &failed) && exitCodes[failed.Kind] > 0 {
		return exitError{err, exitCodes[failed.Kind]}
	}
	return err
}
