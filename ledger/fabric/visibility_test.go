//go:build fabric

package fabric

import (
	"context"

	"github.com/hyperledger/fabric-config/configtx"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Visibility is what the Member's own peer says of a channel: the members none of whose peers it sees, and the hosts of the
// anchor peers in the present configuration, by MSP ID.
func (d *Driver) Visibility(ctx context.Context, plan *v1alpha1.MemberPlan, keys ledger.Keys, channel string) (invisible []string, anchors map[string][]string, err error) {
	opened, err := d.Open(ctx, plan, nil, keys)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = opened.Close() }()
	s := opened.(*session)
	config, err := s.configOf(ctx, channel)
	if err != nil {
		return nil, nil, err
	}
	planned, _ := channelOf(plan, channel)
	anchors = map[string][]string{}
	for _, id := range mspIDs(plan, planned.Members) {
		change := configtx.New(config)
		known, err := change.Application().Organization(id).AnchorPeers()
		if err != nil {
			return nil, nil, err
		}
		for _, address := range known {
			anchors[id] = append(anchors[id], address.Host)
		}
	}
	return s.invisiblePeers(ctx, channel), anchors, nil
}
