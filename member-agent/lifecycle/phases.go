package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/member-agent/signature"
)

// identities has the certificates issued that the engine asks for.
func (r *Reconciler) identities(ctx context.Context, p *progress, reader client.Reader, org *organization) (identity.Issued, error) {
	issued, err := r.Identity.Consortium(ctx, reader, p.plan, r.Engine.Identities(p.plan))
	switch {
	case errors.Is(err, identity.ErrCertManagerMissing):
		p.refuse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonCertManagerMissing, err.Error())
		return issued, nil
	case err != nil:
		p.refuse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonFailed, err.Error())
	case issued.Waiting != "":
		p.refuse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonProgressing, issued.Waiting)
	case org.waiting != "":
		p.refuse(v1alpha1.PlanIdentitiesReady, org.reason, org.waiting)
	default:
		p.done(v1alpha1.PlanIdentitiesReady, "every authority and certificate has been issued")
	}
	return issued, err
}

// nodes runs the workloads that the engine asks for.
func (r *Reconciler) nodes(ctx context.Context, p *progress, reader client.Reader, issued identity.Issued) (nodes.Result, error) {
	workloads, err := r.Engine.Workloads(p.plan, issued.Roots)
	if err != nil {
		p.refuse(v1alpha1.PlanNodesReady, v1alpha1.ReasonInvalid, err.Error())
		return nodes.Result{}, nil
	}
	result, err := r.Nodes.Ensure(ctx, reader, p.plan, r.judge(p.plan, workloads), issued.Digests)
	if err != nil {
		p.refuse(v1alpha1.PlanNodesReady, v1alpha1.ReasonFailed, err.Error())
		return result, err
	}
	p.status.Nodes = result.Nodes
	reason, message := result.Reason, result.Message
	if why := r.refuseDeclared(p.plan, issued.Roots); why != "" && reason != v1alpha1.ReasonImageNotAllowed {
		reason, message = v1alpha1.ReasonImageNotAllowed, strings.TrimSuffix(why+"; "+message, "; ")
	}
	if reason != "" {
		p.refuse(v1alpha1.PlanNodesReady, reason, message)
	} else {
		p.done(v1alpha1.PlanNodesReady, fmt.Sprintf("%d nodes run", len(result.Nodes)))
	}
	return result, result.Failed
}

// discover signs and publishes the member's own record, hands in those that came by way of the host, and says whose
// are at hand.
func (r *Reconciler) discover(p *progress, issued identity.Issued, org *organization) (map[string]v1alpha1.Record, error) {
	name := p.plan.Spec.Consortium
	if org.signer != nil && issued.Waiting == "" && len(issued.Roots[ledger.IdentityAuthority]) > 0 && len(issued.Roots[ledger.TLSAuthority]) > 0 {
		signed, err := r.sign(p, issued, org)
		if err != nil {
			p.refuse(v1alpha1.PlanDiscovered, v1alpha1.ReasonFailed, err.Error())
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
	for member, why := range otherMSPIDs(p.plan, records) {
		delete(records, member)
		refused[member] = why
	}
	var missing []string
	for _, m := range p.plan.Spec.Members {
		if _, ok := records[m.Name]; ok {
			continue
		}
		if why := refused[m.Name]; why != "" {
			missing = append(missing, m.Name+" (refused: "+why+")")
		} else {
			missing = append(missing, m.Name)
		}
	}
	if len(missing) > 0 {
		p.wait(v1alpha1.PlanDiscovered, "waiting for the record of "+strings.Join(missing, ", "))
	} else {
		p.done(v1alpha1.PlanDiscovered, "a checked record of every member is at hand")
	}
	return records, nil
}

// sign makes the member's own record, or finds that the last one still says it all.
func (r *Reconciler) sign(p *progress, issued identity.Issued, org *organization) (*v1alpha1.SignedRecord, error) {
	own := record(p.plan, issued, r.LineAddresses, r.workers.channels(p.plan))
	own, signed := next(own, r.Now(), p.plan.Status.Record, r.Discovery.Own(p.plan.Spec.Consortium, r.Member))
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

// lines says what the gateway says.
func (r *Reconciler) lines(ctx context.Context, p *progress) error {
	all, err := reports(ctx, r.Cache, r.Namespace, r.LinesFrom)
	if err != nil {
		p.set(v1alpha1.PlanLinesReady, metav1.ConditionUnknown, v1alpha1.ReasonFailed, err.Error())
		return err
	}
	status, reason, message := judgeLines(p.plan, all)
	p.set(v1alpha1.PlanLinesReady, status, reason, message+foreignEnds(p.plan, r.LineAddresses))
	return nil
}

// ledger hands the worker what there is and takes over what it has come to.
func (r *Reconciler) ledger(p *progress, reader client.Reader, records map[string]v1alpha1.Record, running nodes.Result) {
	if len(p.plan.Spec.Channels) == 0 {
		p.status.Channels, p.status.Contracts = nil, nil
		p.done(v1alpha1.PlanChannelsReady, "the plan has no channel")
		p.done(v1alpha1.PlanContractsReady, "the plan has no contract")
		return
	}
	if _, ok := records[r.Member]; !ok {
		p.wait(v1alpha1.PlanChannelsReady, "waiting for the member's own identities and record")
		p.wait(v1alpha1.PlanContractsReady, "waiting for the channels")
		return
	}
	namespace := p.plan.Spec.Namespace
	allowed, refused, because := r.allowed(p.plan)
	out, current := r.workers.submit(r.base, p.plan.Name, LedgerInput{
		Plan: allowed, Records: records, Nodes: slices.Clone(p.status.Nodes), Contracts: running.Contracts,
		Keys: func(ctx context.Context, name string) (ledger.KeyPair, error) {
			pair, err := identity.Read(ctx, reader, namespace, name)
			if err != nil {
				return ledger.KeyPair{}, err
			}
			if pair == nil {
				return ledger.KeyPair{}, fmt.Errorf("the identity %s has not been issued yet", name)
			}
			return ledger.KeyPair{Certificate: pair.Certificate, Key: pair.Key, CA: pair.Authority}, nil
		},
	})
	if out != nil {
		r.tellOf(p.plan, p.status.Channels, out.Channels)
		p.status.Channels = out.Channels
		p.status.Contracts = withRunning(slices.Concat(out.Contracts, refused), running.Contracts)
	}
	said := verdict(out, current)
	p.fold(v1alpha1.PlanChannelsReady, said.ChannelsReason, said.ChannelsMessage, "this member's nodes have joined every channel")
	reason, message := said.ContractsReason, said.ContractsMessage
	if because, stopped := notRunning(running.Contracts); stopped != "" && (reason == "" || reason == v1alpha1.ReasonWaiting) {
		reason, message = because, stopped
	}
	if len(refused) > 0 {
		reason, message = because, sayRefused(refused, message)
	}
	p.fold(v1alpha1.PlanContractsReady, reason, message, "every contract runs here and is committed")
}

// verdict is what the worker has come to. While that is about an earlier generation of the plan, what was ready counts
// as being looked at, and what was not is still said to wait for the same: most changes of a plan mend nothing of it, and
// a status that flickers is written, reported and read for nothing.
func verdict(out *LedgerOutput, current bool) LedgerOutput {
	var said LedgerOutput
	if out != nil {
		said = *out
	}
	if !current && said.ChannelsReason == "" {
		said.ChannelsReason, said.ChannelsMessage = v1alpha1.ReasonProgressing, "the channels are being looked at"
	}
	if !current && said.ContractsReason == "" {
		said.ContractsReason, said.ContractsMessage = v1alpha1.ReasonWaiting, "waiting for the channels"
	}
	return said
}

// withRunning says of each contract whether its workload runs, and why not, which is not for the ledger to say.
func withRunning(contracts []v1alpha1.PlanContractStatus, running []nodes.Contract) []v1alpha1.PlanContractStatus {
	merged := slices.Clone(contracts)
	for i := range merged {
		c := &merged[i]
		at := slices.IndexFunc(running, func(w nodes.Contract) bool { return w.Name == c.Name && w.Channel == c.Channel })
		c.Running = at >= 0 && running[at].Running
		if at < 0 || c.Running || running[at].Refused {
			continue // why it is refused has been said
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

// notRunning says which contracts' workloads are not ready, and why, with the first reason that somebody has to mend.
// Those that were refused are not expected to be.
func notRunning(contracts []nodes.Contract) (reason, message string) {
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

func (p *progress) fold(condition, reason, message, fine string) {
	if reason == "" {
		p.done(condition, fine)
		return
	}
	p.refuse(condition, reason, message)
}
