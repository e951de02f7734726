package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/identity"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

// identities has the certificates issued that the driver asks for.
func (r *Reconciler) identities(ctx context.Context, p *planProgress, reader client.Reader, org *organization) (identity.Issued, error) {
	issued, err := r.Identity.Consortium(ctx, reader, p.plan, requested(r.Driver.Identities(p.plan), p.plan.Status, r.Now()))
	switch {
	case errors.Is(err, identity.ErrCertManagerMissing):
		p.setFalse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonCertManagerMissing, err.Error())
		return issued, nil
	case err != nil:
		p.setFalse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonFailed, err.Error())
	case issued.Waiting != "":
		p.setFalse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonProgressing, issued.Waiting)
	case org.message != "":
		p.setFalse(v1alpha1.PlanIdentitiesReady, org.reason, org.message)
	default:
		p.setTrue(v1alpha1.PlanIdentitiesReady, "every authority and certificate has been issued")
	}
	return issued, err
}

// deferral is how long the nodes of a plan that does not get ready have been before deferred identities are requested.
const deferral = time.Minute

// requested are the identities that are asked for now: while a consortium starts, certificates take most of what there is of
// CPU, and those that nothing starts with wait. What has been issued stays.
func requested(all []ledger.Identity, status v1alpha1.MemberPlanStatus, now time.Time) []ledger.Identity {
	nodes := meta.FindStatusCondition(status.Conditions, v1alpha1.PlanNodesReady)
	settled := nodes != nil && nodes.Status == metav1.ConditionTrue && now.Sub(nodes.LastTransitionTime.Time) >= deferral
	if settled || meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(id ledger.Identity) bool { return id.Deferred })
}

// nodes runs the workloads that the driver asks for.
func (r *Reconciler) nodes(ctx context.Context, p *planProgress, reader client.Reader, issued identity.Issued) (nodes.Result, error) {
	workloads, err := r.Driver.Workloads(p.plan, issued.Roots)
	if err != nil {
		p.setFalse(v1alpha1.PlanNodesReady, v1alpha1.ReasonInvalid, err.Error())
		return nodes.Result{}, nil
	}
	result, err := r.Nodes.Ensure(ctx, reader, p.plan, r.validateWorkloads(p.plan, workloads), withFirstBlocks(issued.Digests, r.ledgers.channels(p.plan)))
	if err != nil {
		p.setFalse(v1alpha1.PlanNodesReady, v1alpha1.ReasonFailed, err.Error())
		return result, err
	}
	p.status.Nodes = result.Nodes
	if r.Events != nil {
		for _, restart := range result.Restarts {
			r.Events.Eventf(p.plan, nil, corev1.EventTypeNormal, "NodeRestarted", "Restart", "%s is restarted: %s", restart.Node, restart.Why)
		}
	}
	reason, message := result.Reason, result.Message
	if why := r.validateDeclaredImages(p.plan, issued.Roots); why != "" && reason != v1alpha1.ReasonImageNotAllowed {
		reason, message = v1alpha1.ReasonImageNotAllowed, strings.TrimSuffix(why+"; "+message, "; ")
	}
	if reason != "" {
		p.setFalse(v1alpha1.PlanNodesReady, reason, message)
	} else {
		p.setTrue(v1alpha1.PlanNodesReady, fmt.Sprintf("%d nodes run", len(result.Nodes)))
	}
	return result, result.Failed
}

// withFirstBlocks adds the hashes of the first blocks that are pinned to the digests of the certificates, by the names of the
// objects that hold them. A workload may need either.
func withFirstBlocks(digests map[string]string, channels []v1alpha1.PlanChannelStatus) map[string]string {
	all := map[string]string{}
	maps.Copy(all, digests)
	for _, c := range channels {
		if c.GenesisHash != "" {
			all[ledger.FirstBlockName(c.Name)] = c.GenesisHash
		}
	}
	return all
}

// discover signs and publishes the member's own statements, offers those that are kept of others, and returns the known
// records.
func (r *Reconciler) discover(ctx context.Context, p *planProgress, issued identity.Issued, org *organization) (map[string]v1alpha1.Record, error) {
	name := p.plan.Spec.Consortium
	if org.signer != nil && issued.Waiting == "" && len(issued.Roots[ledger.IdentityAuthority]) > 0 && len(issued.Roots[ledger.TLSAuthority]) > 0 {
		if err := r.publishOwn(ctx, p, issued, org); err != nil {
			p.setFalse(v1alpha1.PlanDiscovered, v1alpha1.ReasonFailed, err.Error())
			return nil, err
		}
	}
	refused := r.offerKept(ctx, p)
	records := r.Discovery.Records(name)
	for member, why := range conflictingMSPIDs(p.plan, records) {
		delete(records, member)
		refused[member] = why
	}
	var missing []string
	for _, m := range p.plan.Spec.Members {
		if _, ok := records[m.Name]; ok {
			continue
		}
		if why := refused[m.Name]; why != "" {
			missing = append(missing, m.Name+" (invalid: "+why+")")
		} else {
			missing = append(missing, m.Name)
		}
	}
	if len(missing) > 0 {
		p.setWaiting(v1alpha1.PlanDiscovered, "waiting for the record of "+strings.Join(missing, ", "))
	} else {
		p.setTrue(v1alpha1.PlanDiscovered, "the records of all members have been verified")
	}
	return records, nil
}

// lines reports how the other members are reached, from the gateways' reports, and sets the condition.
func (r *Reconciler) lines(ctx context.Context, p *planProgress) error {
	merged, err := readLineReports(ctx, r.Cache, r.linesKey(), r.Now())
	p.status.Lines = reachedMembers(p.plan, merged.Lines)
	if err != nil {
		p.set(v1alpha1.PlanLinesReady, metav1.ConditionUnknown, v1alpha1.ReasonFailed, err.Error())
		return err
	}
	status, reason, message := validateLines(p.plan, p.status.Lines)
	p.set(v1alpha1.PlanLinesReady, status, reason, message+unconfirmedLines(p.plan, r.LineAddresses))
	return nil
}

// ledger submits the current state to the controller of the ledgers and takes over its result.
func (r *Reconciler) ledger(p *planProgress, reader client.Reader, records map[string]v1alpha1.Record, running nodes.Result) {
	if len(p.plan.Spec.Channels) == 0 {
		p.status.Channels, p.status.Contracts = nil, nil
		p.setTrue(v1alpha1.PlanChannelsReady, "the plan has no channel")
		p.setTrue(v1alpha1.PlanContractsReady, "the plan has no contract")
		return
	}
	if _, ok := records[r.Member]; !ok {
		p.setWaiting(v1alpha1.PlanChannelsReady, "waiting for the member's own identities and record")
		p.setWaiting(v1alpha1.PlanContractsReady, "waiting for the channels")
		return
	}
	namespace := p.plan.Spec.Namespace
	allowed, refused, because := r.withoutForbiddenContracts(p.plan)
	out, isCurrent := r.ledgers.submit(r.base, ledgerInput{
		plan: allowed, records: records, nodes: slices.Clone(p.status.Nodes), contracts: running.Contracts,
		blocks: firstBlocks{r: r, plan: p.plan}, arrivals: r.Statements.Arrivals(p.plan.Spec.Consortium),
		keys: func(ctx context.Context, name string) (ledger.KeyPair, error) {
			pair, err := identity.Read(ctx, reader, namespace, name)
			if err != nil {
				return ledger.KeyPair{}, err
			}
			if pair == nil {
				return ledger.KeyPair{}, fmt.Errorf("the identity %s has not been issued yet", name)
			}
			return ledger.KeyPair{Certificate: pair.Certificate, Key: pair.Key, CA: pair.Authority, Public: pair.Public}, nil
		},
	})
	if out != nil {
		r.reportProblems(p.plan, p.status.Channels, out.Channels)
		p.status.Channels = out.Channels
		p.status.Contracts = mergeRunning(slices.Concat(out.Contracts, refused), running.Contracts)
	}
	current := currentOutput(out, isCurrent)
	p.setFromReason(v1alpha1.PlanChannelsReady, reasonOf(current.ChannelsReady), current.ChannelsReady.Message, "this member's nodes have joined every channel")
	reason, message := reasonOf(current.ContractsReady), current.ContractsReady.Message
	if because, stopped := notReadyContracts(running.Contracts); stopped != "" && (reason == "" || reason == v1alpha1.ReasonWaiting) {
		reason, message = because, stopped
	}
	if len(refused) > 0 {
		reason, message = because, formatRefused(refused, message)
	}
	p.setFromReason(v1alpha1.PlanContractsReady, reason, message, "every contract runs here and is committed")
}

// reasonOf is the reason of what is not ready; empty if it is.
func reasonOf(outcome agentledger.Outcome) string {
	if outcome.Ready {
		return ""
	}
	return outcome.Reason
}

// currentOutput is the ledger's progress as it is reported. While it belongs to an earlier generation of the plan, what was
// ready is reported as Progressing, and what was not keeps its message: most changes of a plan do not affect it, and a
// status that flickers costs writes for nothing.
func currentOutput(out *agentledger.Progress, current bool) agentledger.Progress {
	output := agentledger.Progress{ChannelsReady: agentledger.Outcome{Ready: true}, ContractsReady: agentledger.Outcome{Ready: true}}
	if out != nil {
		output = *out
	}
	if !current && output.ChannelsReady.Ready {
		output.ChannelsReady = agentledger.Outcome{Reason: v1alpha1.ReasonProgressing, Message: "the channels are being checked"}
	}
	if !current && output.ContractsReady.Ready {
		output.ContractsReady = agentledger.Outcome{Reason: v1alpha1.ReasonWaiting, Message: "waiting for the channels"}
	}
	return output
}

// mergeRunning adds to each contract's status whether its workload runs, and why not.
func mergeRunning(contracts []v1alpha1.PlanContractStatus, running []nodes.Contract) []v1alpha1.PlanContractStatus {
	merged := slices.Clone(contracts)
	for i := range merged {
		c := &merged[i]
		at := slices.IndexFunc(running, func(w nodes.Contract) bool { return w.Name == c.Name && w.Channel == c.Channel })
		c.Running = at >= 0 && running[at].Running
		if at < 0 || c.Running || running[at].Refused {
			continue // reported already
		}
		if fault := nodes.IsFault(running[at].Reason); fault || c.Message == "" {
			c.Message = running[at].Message
			if fault {
				c.Reason = running[at].Reason
			}
		}
	}
	return merged
}

// notReadyContracts says which contracts' workloads are not ready, and why, with the first reason that is a fault. Those
// that are not allowed are left out.
func notReadyContracts(contracts []nodes.Contract) (reason, message string) {
	var stopped []string
	reason = v1alpha1.ReasonProgressing
	for _, c := range contracts {
		if c.Running || c.Refused {
			continue
		}
		stopped = append(stopped, fmt.Sprintf("contract %s on %s: %s", c.Name, c.Channel, c.Message))
		if nodes.IsFault(c.Reason) && !nodes.IsFault(reason) {
			reason = c.Reason
		}
	}
	return reason, strings.Join(stopped, "; ")
}

func (p *planProgress) setFromReason(condition, reason, message, fine string) {
	if reason == "" {
		p.setTrue(condition, fine)
		return
	}
	p.setFalse(condition, reason, message)
}
