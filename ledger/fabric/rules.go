package fabric

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-config/configtx/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	ordererpb "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// rules are what a channel's first block says of its members and rules, which no plan can change afterwards.
type rules struct {
	// members and ordering are the MSP IDs of the application's and the ordering organizations, sorted.
	members, ordering []string
	// policies of the application group, the endorsement and the lifecycle policy among them.
	policies map[string]*common.ConfigPolicy
	size     *ordererpb.BatchSize
	timeout  time.Duration
}

// ruleCache caches the rules by the first block's hash, for all sessions of a Driver: a block is parsed once.
type ruleCache struct {
	mu     sync.Mutex
	byHash map[string]*rules
}

// maxCachedRules bounds the cache.
const maxCachedRules = 1024

// CheckChannel compares a channel of the plan with its first block.
func (s *session) CheckChannel(ctx context.Context, channel v1alpha1.PlanChannel, first ledger.FirstBlock) error {
	found, err := s.rules.of(ctx, first)
	if err != nil {
		return fmt.Errorf("read the rules of channel %s: %w", channel.Name, err)
	}
	return s.compareRules(channel, found)
}

func (b *ruleCache) of(ctx context.Context, first ledger.FirstBlock) (*rules, error) {
	b.mu.Lock()
	known := b.byHash[first.Hash]
	b.mu.Unlock()
	if known != nil {
		return known, nil
	}
	block, err := first.Block(ctx)
	if err != nil {
		return nil, err
	}
	read, err := readRules(block, first.Hash)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.byHash) >= maxCachedRules {
		clear(b.byHash)
	}
	b.byHash[first.Hash] = read
	return read, nil
}

// readRules takes the rules out of a block, and makes sure that it is the block of that hash.
func readRules(raw []byte, hash string) (*rules, error) {
	got, err := parseGenesis(raw)
	if err != nil {
		return nil, err
	}
	if err := compareHeader(got.block); err != nil {
		return nil, err
	}
	if found, err := headerHash(got.block.GetHeader()); err != nil || found != hash {
		return nil, genesisError("the block that is kept is %.12s…, and not the pinned one, %.12s…", found, hash)
	}
	groups := got.config.GetConfig().GetChannelGroup().GetGroups()
	application, ordering := groups[configtx.ApplicationGroupKey], groups[configtx.OrdererGroupKey]
	r := &rules{
		members:  slices.Sorted(maps.Keys(application.GetGroups())),
		ordering: slices.Sorted(maps.Keys(ordering.GetGroups())),
		policies: application.GetPolicies(), size: &ordererpb.BatchSize{},
	}
	timeout := &ordererpb.BatchTimeout{}
	if err := proto.Unmarshal(ordering.GetValues()[orderer.BatchSizeKey].GetValue(), r.size); err != nil {
		return nil, genesisError("its batch size cannot be read: %v", err)
	}
	if err := proto.Unmarshal(ordering.GetValues()[orderer.BatchTimeoutKey].GetValue(), timeout); err != nil {
		return nil, genesisError("its batch timeout cannot be read: %v", err)
	}
	if r.timeout, err = time.ParseDuration(timeout.GetTimeout()); err != nil {
		return nil, genesisError("its batch timeout cannot be read: %v", err)
	}
	return r, nil
}

func channelDiffers(channel, format string, arguments ...any) error {
	return fmt.Errorf("%w: channel %s: %s: nothing is done for it; the rules of a channel are fixed by its first block: ask the host's operators who changed the plan",
		ledger.ErrChannelDiffers, channel, fmt.Sprintf(format, arguments...))
}

// compareRules says in what a planned channel differs from its first block.
func (n network) compareRules(channel v1alpha1.PlanChannel, r *rules) error {
	members, ordering := mspIDs(n.plan, channel.Members), mspIDs(n.plan, orderingMembers(n.plan, channel))
	leader := ledger.LeaderOf(n.plan, channel)
	size := batchSize(channel.Batch)
	switch {
	case !slices.Equal(members, r.members):
		return channelDiffers(channel.Name, "the plan has the members %s, the first block %s", strings.Join(members, ", "), strings.Join(r.members, ", "))
	case !slices.Equal(ordering, r.ordering):
		return channelDiffers(channel.Name, "by the plan it is ordered by %s, by the first block by %s", strings.Join(ordering, ", "), strings.Join(r.ordering, ", "))
	case !slices.Contains(channel.Members, leader):
		return channelDiffers(channel.Name, "its leader by the plan, %.64q, is not one of its members", leader)
	case size.MaxMessageCount != r.size.GetMaxMessageCount() || size.AbsoluteMaxBytes != r.size.GetAbsoluteMaxBytes() ||
		size.PreferredMaxBytes != r.size.GetPreferredMaxBytes() || batchTimeout(channel.Batch) != r.timeout:
		return channelDiffers(channel.Name, "the plan has another batch (size or timeout) than the first block")
	}
	want, err := applicationPolicies(n.plan, channel)
	if err != nil {
		return channelDiffers(channel.Name, "%v", err)
	}
	policies, err := encodePolicies(want)
	if err != nil {
		return channelDiffers(channel.Name, "%v", err)
	}
	if key := differsIn(policies, r.policies); key != "" {
		return channelDiffers(channel.Name, "the plan has another %s policy than the first block", key)
	}
	return nil
}

// mspIDs are those of some members, sorted. One that is named twice is there twice.
func mspIDs(plan *v1alpha1.MemberPlan, members []string) []string {
	ids := make([]string, len(members))
	for i, member := range members {
		ids[i] = MSPID(plan, member)
	}
	slices.Sort(ids)
	return ids
}

// encodePolicies encodes policies as a configuration has them.
func encodePolicies(policies map[string]configtx.Policy) (map[string]*common.ConfigPolicy, error) {
	scratch := configtx.New(&common.Config{ChannelGroup: &common.ConfigGroup{
		Groups: map[string]*common.ConfigGroup{configtx.ApplicationGroupKey: {}},
	}})
	if err := scratch.Application().SetPolicies(policies); err != nil {
		return nil, err
	}
	return scratch.UpdatedConfig().GetChannelGroup().GetGroups()[configtx.ApplicationGroupKey].GetPolicies(), nil
}
