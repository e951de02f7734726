package reconcile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/identity"
)

// buildRecord is the member's record about itself, without a sequence. channels are the statuses of its channels.
func buildRecord(plan *v1alpha1.MemberPlan, description ledger.Description, issued identity.Issued, own []LineAddress, channels []v1alpha1.PlanChannelStatus) v1alpha1.Record {
	r := v1alpha1.Record{
		Member:        plan.Spec.Member,
		MSPID:         plan.Spec.MSPID(plan.Spec.Member),
		Consortium:    plan.Spec.Consortium,
		IdentityRoots: issued.Roots[ledger.IdentityAuthority],
		TLSRoots:      issued.Roots[ledger.TLSAuthority],
	}
	for _, n := range plan.Spec.Nodes {
		port := int32(description.Port(n.Role))
		r.Nodes = append(r.Nodes, v1alpha1.RecordNode{
			Name: n.Name, Role: n.Role, Port: port, TLSCertificate: issued.Published[n.Name],
		})
	}
	for _, l := range plan.Spec.Lines {
		if isOwnAddress(own, l) {
			r.Lines = append(r.Lines, v1alpha1.RecordLine{Name: l.Name, Address: l.LocalAddress, Port: l.LocalPort})
		}
	}
	for _, c := range channels {
		if c.GenesisHash != "" {
			r.Channels = append(r.Channels, v1alpha1.RecordChannel{Name: c.Name, GenesisHash: c.GenesisHash})
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

// sequenceRecord sets the record's sequence: that of the last one while nothing has changed, else a higher one than all
// that were published. The signed record is returned too if it is unchanged; nil means that the record has to be signed.
func sequenceRecord(r v1alpha1.Record, now time.Time, published ...*v1alpha1.SignedRecord) (v1alpha1.Record, *v1alpha1.SignedRecord) {
	var newest *v1alpha1.SignedRecord
	var last v1alpha1.Record
	for _, signed := range published {
		if signed == nil {
			continue
		}
		var was v1alpha1.Record
		if json.Unmarshal(signed.Payload, &was) == nil && was.Sequence > last.Sequence {
			newest, last = signed, was
		}
	}
	r.Sequence = last.Sequence
	if newest != nil && equality.Semantic.DeepEqual(r, last) {
		return r, newest
	}
	r.Sequence = max(now.UnixNano(), last.Sequence+1)
	return r, nil
}
