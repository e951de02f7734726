//go:build fabric

package fabric

import (
	"context"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// ByHand approves, and may commit, a definition that is not the plan's, as an administrator does with the peer's own commands.
func (d *Driver) ByHand(ctx context.Context, plan *v1alpha1.MemberPlan, keys ledger.Keys, contract v1alpha1.PlanContract, change func(*chaincode.Definition), commit bool) error {
	opened, err := d.Open(ctx, plan, nil, keys)
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }()
	s := opened.(*session)
	want, err := s.plannedDefinition(contract)
	if err != nil {
		return err
	}
	change(want)
	connection, err := s.peer(s.peers()[0])
	if err != nil {
		return err
	}
	gateway := chaincode.NewGateway(connection, s.admin)
	if err := gateway.Approve(ctx, want); err != nil || !commit {
		return err
	}
	return gateway.Commit(ctx, want)
}
