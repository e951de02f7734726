package fabric

import (
	"errors"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// TestStepErrors holds which errors of a step only say that others are not as far yet.
func TestStepErrors(t *testing.T) {
	s := &session{network: network{plan: &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1"}}}}
	for _, row := range []struct {
		why, says string
		waits     string
	}{
		{"the block with an approval has not reached a peer of its own organization",
			"failed to commit chaincode: endorse error: rpc error: code = Aborted desc = failed to collect enough transaction endorsements; Details:; " +
				"- Address: peer0-org2.hanse-trade:7051; MspId: org2MSP; Message: chaincode response 500, failed to invoke backing implementation of 'CommitChaincodeDefinition': " +
				"chaincode definition not agreed to by this org (org2MSP)", "the approvals to reach the peers of org2"},
		{"nor those of two, one of which has two peers",
			"chaincode definition not agreed to by this org (org3MSP); chaincode definition not agreed to by this org (org2MSP); chaincode definition not agreed to by this org (org3MSP)",
			"the approvals to reach the peers of org2, org3"},
		{"the state was read before a block with another's approval", "commit failed: MVCC_READ_CONFLICT", "this member's peers to catch up with channel goods"},
		{"any other error is one", "chaincode definition not agreed to by this org", ""},
	} {
		err := s.stepError(t.Context(), "commit", v1alpha1.PlanContract{Name: "notary", Channel: "goods"}, errors.New(row.says))
		var waiting *ledger.Waiting
		if got := errors.As(err, &waiting); got != (row.waits != "") || got && waiting.What != row.waits {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}
