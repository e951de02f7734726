package fabric

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/hyperledger/fabric-admin-sdk/pkg/identity"
	"github.com/hyperledger/fabric-config/configtx"
	gatewayid "github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// maxMessage is the largest message that a session takes from a node: a configuration block, with room to spare.
const maxMessage = 16 << 20

// session is a Member's connection to its own nodes, and to the others' orderers where it has none that answers.
type session struct {
	network
	dial     func(ctx context.Context, address string) (net.Conn, error)
	admin    identity.SigningIdentity
	signer   configtx.SigningIdentity
	adminTLS tls.Certificate
	ownRoots *x509.CertPool
	ledgers  *ledgerCache
	rules    *ruleCache

	mu          sync.Mutex
	connections map[string]*grpc.ClientConn
}

var _ ledger.Session = (*session)(nil)

// Open reads the Member's own identities; it connects to nodes only as they are needed.
func (d *Driver) Open(ctx context.Context, plan *v1alpha1.MemberPlan, records map[string]v1alpha1.Record, keys ledger.Keys) (ledger.Session, error) {
	s := &session{
		network: network{plan: plan, records: records}, dial: d.dial, ledgers: d.ledgers, rules: d.rules,
		connections: map[string]*grpc.ClientConn{},
	}
	if err := s.readAdmin(ctx, keys); err != nil {
		return nil, err
	}
	if err := s.readAdminTLS(ctx, keys); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *session) readAdmin(ctx context.Context, keys ledger.Keys) error {
	name := AdminIdentity(s.plan.Spec.Member)
	pair, err := keys(ctx, name)
	if err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	if s.admin, err = signingIdentity(MSPID(s.plan, s.plan.Spec.Member), pair); err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	s.signer.MSPID = MSPID(s.plan, s.plan.Spec.Member)
	if s.signer.Certificate, err = gatewayid.CertificateFromPEM(pair.Certificate); err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	if s.signer.PrivateKey, err = gatewayid.PrivateKeyFromPEM(pair.Key); err != nil {
		return fmt.Errorf("identity %s: its key cannot be read", name)
	}
	return nil
}

func (s *session) readAdminTLS(ctx context.Context, keys ledger.Keys) error {
	name := AdminTLSIdentity(s.plan.Spec.Member)
	pair, err := keys(ctx, name)
	if err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	if s.adminTLS, err = tls.X509KeyPair(pair.Certificate, pair.Key); err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	s.ownRoots, err = ownRoots(ctx, s.plan, keys)
	return err
}

// ownRoots is the authority behind the TLS certificates of the Member's own nodes, as these have it. A Member that runs
// no node has none to connect to.
func ownRoots(ctx context.Context, plan *v1alpha1.MemberPlan, keys ledger.Keys) (*x509.CertPool, error) {
	if len(plan.Spec.Nodes) == 0 {
		return x509.NewCertPool(), nil
	}
	name := nodeTLS(plan.Spec.Nodes[0].Name)
	pair, err := keys(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", name, err)
	}
	roots, err := rootsOf(pair.CA)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", name, err)
	}
	return roots, nil
}

func rootsOf(text []byte) (*x509.CertPool, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("there is no CA certificate: issue it from a CA issuer, which fills in ca.crt")
	}
	return roots, nil
}

func signingIdentity(mspID string, pair ledger.KeyPair) (identity.SigningIdentity, error) {
	certificate, err := gatewayid.CertificateFromPEM(pair.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := gatewayid.PrivateKeyFromPEM(pair.Key)
	if err != nil {
		// The library's error could contain parts of the key.
		return nil, errors.New("its key cannot be read")
	}
	return identity.NewPrivateKeySigningIdentity(mspID, certificate, key)
}

// connection opens, or finds, the connection to a node.
func (s *session) connection(address string, roots *x509.CertPool) (*grpc.ClientConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if connection := s.connections[address]; connection != nil {
		return connection, nil
	}
	connection, err := connect(s.dial, address, roots, maxMessage)
	if err != nil {
		return nil, err
	}
	s.connections[address] = connection
	return connection, nil
}

// connect opens a connection on which the node proves the name that it is addressed by. most is the size of the largest
// message that is taken from it, in bytes.
func connect(dial func(context.Context, string) (net.Conn, error), address string, roots *x509.CertPool, most int) (*grpc.ClientConn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: roots,
		})),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(most)),
	)
}

func (s *session) peer(node string) (*grpc.ClientConn, error) {
	return s.connection(nodeAddress(s.plan, node, v1alpha1.PortPeer), s.ownRoots)
}

// peers are the Member's own.
func (s *session) peers() []string {
	var names []string
	for _, node := range s.plan.Spec.Nodes {
		if node.Role == v1alpha1.RolePeer {
			names = append(names, node.Name)
		}
	}
	slices.Sort(names)
	return names
}

// channelPeers are the Member's own that are not known to hold another ledger under a channel's name.
func (s *session) channelPeers(channel string) []string {
	return slices.DeleteFunc(s.peers(), func(node string) bool { return s.ledgers.isOther(s.ledgerKey(node, channel)) })
}

// atChannelPeer calls the Member's peers, one after the other, until one has done it, without those that hold another
// ledger under the channel's name. The error of a peer that answers takes precedence over unreachable ones.
func (s *session) atChannelPeer(ctx context.Context, channel string, do func(connection *grpc.ClientConn) error) error {
	peers := s.channelPeers(channel)
	if len(peers) == 0 {
		return fmt.Errorf("%s runs no peer in consortium %s: this needs one", s.plan.Spec.Member, s.plan.Spec.Consortium)
	}
	var silent, failed []error
	for _, node := range peers {
		connection, err := s.peer(node)
		if err == nil {
			err = do(connection)
		}
		var waiting *ledger.Waiting
		if err == nil || errors.As(err, &waiting) {
			return err // Another peer would wait for the same.
		}
		if isUnreachable(err) {
			silent = append(silent, waitIfUnreachable(node, err))
		} else {
			failed = append(failed, fmt.Errorf("%s: %w", node, withDetails(err)))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return errors.Join(silent...)
}

// Do does one of the planner's steps.
func (s *session) Do(ctx context.Context, step, node string, channel v1alpha1.PlanChannel, first ledger.FirstBlock) error {
	switch step {
	case planner.StepJoinOrderers:
		return s.joinOrderer(ctx, node, channel, first)
	case planner.StepJoinPeers:
		return s.joinPeer(ctx, node, channel, first)
	case planner.StepSetAnchors:
		return s.setAnchors(ctx, channel)
	}
	return fmt.Errorf("Fabric has no step %q", step)
}

// orderingMembers names the Members whose orderers order a channel.
func orderingMembers(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel) []string {
	return planner.Planner{}.Description().OrderingMembers(plan, channel)
}

// Genesis makes a channel's first block.
func (s *session) Genesis(channel v1alpha1.PlanChannel) ([]byte, error) {
	return s.makeGenesis(channel)
}

// CheckGenesis compares a channel's first block with the plan and the records.
func (s *session) CheckGenesis(channel v1alpha1.PlanChannel, block []byte) (string, error) {
	return s.checkGenesis(channel, block)
}

// Close ends the connections.
func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed []error
	for _, connection := range s.connections {
		failed = append(failed, connection.Close())
	}
	clear(s.connections)
	return errors.Join(failed...)
}

// isChannelMember is whether the plan's Member is a member of a channel.
func isChannelMember(plan *v1alpha1.MemberPlan, name string) bool {
	channel, found := channelOf(plan, name)
	return found && slices.Contains(channel.Members, plan.Spec.Member)
}

func channelOf(plan *v1alpha1.MemberPlan, name string) (v1alpha1.PlanChannel, bool) {
	for _, channel := range plan.Spec.Channels {
		if channel.Name == name {
			return channel, true
		}
	}
	return v1alpha1.PlanChannel{}, false
}
