package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/member-agent/signature"
)

// identities has the certificates issued that the engine asks for.
func (r *Reconciler) identities(ctx context.Context, p *planProgress, reader client.Reader, org *organization) (identity.Issued, error) {
	issued, err := r.Identity.Consortium(ctx, reader, p.plan, r.Engine.Identities(p.plan))
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

// nodes runs the workloads that the engine asks for.
func (r *Reconciler) nodes(ctx context.Context, p *planProgress, reader client.Reader, issued identity.Issued) (nodes.Result, error) {
	workloads, err := r.Engine.Workloads(p.plan, issued.Roots)
	if err != nil {
		p.setFalse(v1alpha1.PlanNodesReady, v1alpha1.ReasonInvalid, err.Error())
		return nodes.Result{}, nil
	}
	result, err := r.Nodes.Ensure(ctx, reader, p.plan, r.validateWorkloads(p.plan, workloads), issued.Digests)
	if err != nil {
		p.setFalse(v1alpha1.PlanNodesReady, v1alpha1.ReasonFailed, err.Error())
		return result, err
	}
	p.status.Nodes = result.Nodes
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

// discover signs and publishes the member's own record, offers those that came in the plan, and returns the known ones.
func (r *Reconciler) discover(p *planProgress, issued identity.Issued, org *organization) (map[string]v1alpha1.Record, error) {
	name := p.plan.Spec.Consortium
	if org.signer != nil && issued.Waiting == "" && len(issued.Roots[ledger.IdentityAuthority]) > 0 && len(issued.Roots[ledger.TLSAuthority]) > 0 {
		signed, err := r.sign(p, issued, org)
		if err != nil {
			p.setFalse(v1alpha1.PlanDiscovered, v1alpha1.ReasonFailed, err.Error())
			return nil, err
		}
		p.status.Record = signed
		if err := r.Discovery.Publish(name, *signed); err != nil {
			r.Log.V(1).Info("the own record is not published yet", "consortium", name, "error", err.Error())
		}
	}
	refused := map[string]string{}
	for _, m := range p.plan.Spec.Members {
		if m.Record == nil || m.Name == r.Member {
			continue
		}
		if err := r.Discovery.Offer(name, *m.Record); err != nil {
			refused[m.Name] = err.Error()
		}
	}
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

// sign builds and signs the member's own record, or returns the last one if nothing has changed.
func (r *Reconciler) sign(p *planProgress, issued identity.Issued, org *organization) (*v1alpha1.SignedRecord, error) {
	own := buildRecord(p.plan, r.Planners.Describe(p.plan), issued, r.LineAddresses, r.workers.channels(p.plan))
	own, signed := sequenceRecord(own, r.Now(), p.plan.Status.Record, r.Discovery.Own(p.plan.Spec.Consortium, r.Member))
	if signed != nil && signed.Certificates == org.certificates {
		return signed, nil
	}
	if signed != nil {
		// The same facts, signed with a renewed certificate, are a new record to the others.
		own.Sequence = max(r.Now().UnixNano(), own.Sequence+1)
	}
	fresh, err := signature.Sign(org.signer, org.certificates, own)
	if err != nil {
		return nil, fmt.Errorf("sign the member's record: %w", err)
	}
	return &fresh, nil
}

// lines sets the condition of the lines from the gateway's reports.
func (r *Reconciler) lines(ctx context.Context, p *planProgress) error {
	all, err := readLineReports(ctx, r.Cache, r.Namespace, r.LinesFrom)
	if err != nil {
		p.set(v1alpha1.PlanLinesReady, metav1.ConditionUnknown, v1alpha1.ReasonFailed, err.Error())
		return err
	}
	status, reason, message := validateLines(p.plan, all)
	p.set(v1alpha1.PlanLinesReady, status, reason, message+unconfirmedLines(p.plan, r.LineAddresses))
	return nil
}

// ledger submits the current state to the plan's worker and takes over its result.
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
	out, isCurrent := r.workers.submit(r.base, p.plan.Name, LedgerInput{
		Plan: allowed, Records: records, Nodes: slices.Clone(p.status.Nodes), Contracts: running.Contracts,
		Keys: func(ctx context.Context, name string) (ledger.KeyPair, error) {
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
	p.setFromReason(v1alpha1.PlanChannelsReady, current.ChannelsReason, current.ChannelsMessage, "this member's nodes have joined every channel")
	reason, message := current.ContractsReason, current.ContractsMessage
	if because, stopped := notReadyContracts(running.Contracts); stopped != "" && (reason == "" || reason == v1alpha1.ReasonWaiting) {
		reason, message = because, stopped
	}
	if len(refused) > 0 {
		reason, message = because, formatRefused(refused, message)
	}
	p.setFromReason(v1alpha1.PlanContractsReady, reason, message, "every contract runs here and is committed")
}

// currentOutput is the worker's result as it is reported. While it belongs to an earlier generation of the plan, what was
// ready is reported as Progressing, and what was not keeps its message: most changes of a plan do not affect it, and a
// status that flickers costs writes for nothing.
func currentOutput(out *LedgerOutput, current bool) LedgerOutput {
	var output LedgerOutput
	if out != nil {
		output = *out
	}
	if !current && output.ChannelsReason == "" {
		output.ChannelsReason, output.ChannelsMessage = v1alpha1.ReasonProgressing, "the channels are being checked"
	}
	if !current && output.ContractsReason == "" {
		output.ContractsReason, output.ContractsMessage = v1alpha1.ReasonWaiting, "waiting for the channels"
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
