package reconcile

import (
	"bytes"
	"cmp"
	"fmt"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/statement"
)

// buildRecord is the member's record about itself, without a sequence.
func buildRecord(plan *v1alpha1.MemberPlan, description ledger.Description, issued identity.Issued, own []LineAddress) v1alpha1.Record {
	r := v1alpha1.Record{
		Member:        plan.Spec.Member,
		MSPID:         plan.Spec.MSPID(plan.Spec.Member),
		Consortium:    plan.Spec.Consortium,
		IdentityRoots: issued.Roots[ledger.IdentityAuthority],
		IdentityKeys:  issued.IdentityKeys,
		TLSRoots:      issued.Roots[ledger.TLSAuthority],
	}
	for _, n := range plan.Spec.Nodes {
		port := int32(description.Port(n.Role))
		r.Nodes = append(r.Nodes, v1alpha1.RecordNode{
			Name: n.Name, Role: n.Role, Port: port, TLSCertificate: issued.Published[n.Name], PublicKey: issued.PublicKeys[n.Name],
		})
	}
	for _, l := range plan.Spec.Lines {
		if isOwnAddress(own, l) {
			r.Lines = append(r.Lines, v1alpha1.RecordLine{Name: l.Name, Address: l.LocalAddress, Port: l.LocalPort})
		}
	}
	return r
}

// conflictingMSPIDs are the members whose own records have another MSP ID than the plan, with a message. Their records
// are left out: the plan comes from the host, the record from the organization itself.
func conflictingMSPIDs(plan *v1alpha1.MemberPlan, records map[string]v1alpha1.Record) map[string]string {
	others := map[string]string{}
	for member, r := range records {
		recorded, planned := cmp.Or(r.MSPID, v1alpha1.MSPID(member)), plan.Spec.MSPID(member)
		if recorded != planned {
			others[member] = fmt.Sprintf("its record has MSP ID %.64s and the plan %.64s: ask that organization, not the host, which is right", recorded, planned)
		}
	}
	return others
}

// holdings are the first blocks that the member has checked and pinned, by the statuses of its channels.
func holdings(channels []v1alpha1.PlanChannelStatus) []v1alpha1.RecordChannel {
	var held []v1alpha1.RecordChannel
	for _, c := range channels {
		if c.GenesisHash != "" {
			held = append(held, v1alpha1.RecordChannel{Name: c.Name, GenesisHash: c.GenesisHash})
		}
	}
	return held
}

// withSequence sets a statement's sequence: higher than all that were published of its kind and subject. While nothing has
// changed since the last of these, and its certificates are still in use, that one is returned too, as it was signed; nil
// means that the statement has to be signed.
func withSequence(s v1alpha1.StatementSpec, certificates string, now time.Time, published ...*v1alpha1.StatementSpec) (v1alpha1.StatementSpec, *v1alpha1.StatementSpec) {
	var last *v1alpha1.StatementSpec
	for _, p := range published {
		if p != nil && statement.KeyOf(p) == statement.KeyOf(&s) && (last == nil || p.Sequence > last.Sequence) {
			last = p
		}
	}
	if last == nil {
		s.Sequence = now.UnixMicro()
		return s, nil
	}
	if bytes.Equal(last.Payload, s.Payload) && last.Certificates == certificates {
		return *last, last
	}
	s.Sequence = max(now.UnixMicro(), last.Sequence+1)
	return s, nil
}
