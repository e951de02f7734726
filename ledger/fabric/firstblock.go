package fabric

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	ordererpb "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// ledgerCacheTTL is how long a node's ledger is cached. Its volume can only be replaced while the node is down, and the
// entry is dropped as soon as the node does not answer.
const ledgerCacheTTL = 10 * time.Minute

// ledgerCache caches the first blocks of the nodes' ledgers, for all sessions of a Driver.
type ledgerCache struct {
	now func() time.Time
	mu  sync.Mutex
	at  map[string]cachedLedger
}

// cachedLedger is a node's ledger of one channel: the hash of its first block, whether it is the wanted one, and when it
// was read.
type cachedLedger struct {
	hash  string
	other bool
	when  time.Time
}

func newLedgerCache(now func() time.Time) *ledgerCache {
	if now == nil {
		now = time.Now
	}
	return &ledgerCache{now: now, at: map[string]cachedLedger{}}
}

// holds is whether a node has the wanted ledger by an entry that is not older than ledgerCacheTTL.
func (l *ledgerCache) holds(key, want string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.at[key]
	return !seen.other && seen.hash == want && l.now().Sub(seen.when) < ledgerCacheTTL
}

func (l *ledgerCache) set(key, hash string, other bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[key] = cachedLedger{hash: hash, other: other, when: l.now()}
}

func (l *ledgerCache) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.at, key)
}

func (l *ledgerCache) isOther(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at[key].other
}

func (s *session) ledgerKey(node, channel string) string {
	return s.plan.Spec.Consortium + "/" + node + "/" + channel
}

// errForbidden: a node holds a channel of that name and does not let this Member's administrator read it.
var errForbidden = errors.New("it does not let this organization read it")

// checkLedger compares the first block of a node's own ledger with the wanted one.
func (s *session) checkLedger(ctx context.Context, node, channel, want string, read func(ctx context.Context, node, channel string) (*common.Block, error)) error {
	key := s.ledgerKey(node, channel)
	if s.ledgers.holds(key, want) {
		return nil
	}
	block, err := read(ctx, node, channel)
	switch {
	case errors.Is(err, errForbidden):
		// It is of other authorities, or of other members.
		s.ledgers.set(key, "", true)
		return fmt.Errorf("%w (%s)", ledger.LedgerDiffers(node, channel), errForbidden.Error())
	case err != nil:
		s.ledgers.forget(key)
		return fmt.Errorf("read the first block of channel %s at %s: %w", channel, node, waitIfUnreachable(node, err))
	}
	hash, err := headerHash(block.GetHeader())
	if err != nil {
		return err
	}
	s.ledgers.set(key, hash, hash != want)
	if hash != want {
		return fmt.Errorf("%w (%.12s… instead of %.12s…)", ledger.LedgerDiffers(node, channel), hash, want)
	}
	return nil
}

// firstAtPeer reads block 0 at one of the Member's own peers.
func (s *session) firstAtPeer(ctx context.Context, node, channel string) (*common.Block, error) {
	connection, err := s.peer(node)
	if err != nil {
		return nil, err
	}
	return firstAt(ctx, s, channel, peer.NewDeliverClient(connection).Deliver)
}

// firstAtOrderer reads block 0 at one of the Member's own orderers.
func (s *session) firstAtOrderer(ctx context.Context, node, channel string) (*common.Block, error) {
	connection, err := s.connection(nodeAddress(s.plan, node, v1alpha1.PortOrderer), s.ownRoots)
	if err != nil {
		return nil, err
	}
	return firstAt(ctx, s, channel, ordererpb.NewAtomicBroadcastClient(connection).Deliver)
}

// delivery is a stream of blocks, and delivered an answer in it. Peers and orderers have types of their own for both.
type (
	delivery[A delivered] interface {
		Send(*common.Envelope) error
		Recv() (A, error)
	}
	delivered interface {
		GetBlock() *common.Block
		GetStatus() common.Status
	}
)

// firstAt reads block 0 of a channel from the stream that a node opens.
func firstAt[S delivery[A], A delivered](ctx context.Context, s *session, channel string, open func(context.Context, ...grpc.CallOption) (S, error)) (*common.Block, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := open(ctx)
	if err != nil {
		return nil, err
	}
	seek, err := s.seekFirst(channel)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(seek); err != nil {
		return nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	return checkDelivered(answer.GetBlock(), answer.GetStatus())
}

// checkDelivered is the block out of an answer of either kind of node.
func checkDelivered(block *common.Block, status common.Status) (*common.Block, error) {
	switch {
	case block != nil && block.GetHeader().GetNumber() != 0:
		return nil, fmt.Errorf("asked for block 0, it gave block %d", block.GetHeader().GetNumber())
	case block != nil:
		return block, nil
	case status == common.Status_FORBIDDEN:
		return nil, errForbidden
	case status == common.Status_NOT_FOUND, status == common.Status_SERVICE_UNAVAILABLE:
		return nil, ledger.WaitingFor("the node to serve the channel")
	}
	return nil, fmt.Errorf("it answered %s", status)
}

// seekFirst asks for block 0, signed by the Member's administrator. Block 0 needs no leader among the orderers.
func (s *session) seekFirst(channel string) (*common.Envelope, error) {
	zero := &ordererpb.SeekPosition{Type: &ordererpb.SeekPosition_Specified{Specified: &ordererpb.SeekSpecified{Number: 0}}}
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	payload := &common.Payload{Header: &common.Header{}}
	for _, part := range []struct {
		into *[]byte
		from proto.Message
	}{
		{&payload.Data, &ordererpb.SeekInfo{
			Start: zero, Stop: zero, Behavior: ordererpb.SeekInfo_FAIL_IF_NOT_READY, ErrorResponse: ordererpb.SeekInfo_BEST_EFFORT,
		}},
		{&payload.Header.ChannelHeader, &common.ChannelHeader{
			Type: int32(common.HeaderType_DELIVER_SEEK_INFO), ChannelId: channel, Timestamp: timestamppb.Now(),
		}},
	} {
		raw, err := proto.Marshal(part.from)
		if err != nil {
			return nil, err
		}
		*part.into = raw
	}
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: s.admin.MspID(), IdBytes: s.admin.Credentials()})
	if err != nil {
		return nil, err
	}
	if payload.Header.SignatureHeader, err = proto.Marshal(&common.SignatureHeader{Creator: creator, Nonce: nonce}); err != nil {
		return nil, err
	}
	raw, err := proto.Marshal(payload)
	if err != nil {
		return nil, err
	}
	signature, err := s.admin.Sign(raw)
	if err != nil {
		return nil, err
	}
	return &common.Envelope{Payload: raw, Signature: signature}, nil
}
