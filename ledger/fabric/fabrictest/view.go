package fabrictest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	"github.com/hyperledger/fabric-admin-sdk/pkg/discovery"
	"github.com/hyperledger/fabric-admin-sdk/pkg/identity"
	"github.com/hyperledger/fabric-config/configtx"
	gatewayid "github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
)

// View is what a peer says of a channel, by MSP ID: the addresses of the peers that it sees, itself among them, and the hosts of
// the anchor peers in the present configuration.
type View struct{ Peers, Anchors map[string][]string }

// View asks one of the Member's peers, as the Member's administrator.
func (n *Network) View(ctx context.Context, member *Member, peer, name string) (View, error) {
	admin, err := member.admin()
	if err != nil {
		return View{}, err
	}
	host := n.hostOf(member, peer)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(member.authorities[ledger.TLSAuthority].PEM)
	connection, err := grpc.NewClient(fmt.Sprintf("passthrough:///%s:%d", host, v1alpha1.PortPeer), grpc.WithContextDialer(n.Dial),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: host})))
	if err != nil {
		return View{}, err
	}
	defer func() { _ = connection.Close() }()
	seen, err := discovery.NewPeer(connection, admin).PeerMembershipQuery(ctx, name, nil)
	if err != nil {
		return View{}, err
	}
	view := View{Peers: map[string][]string{}}
	for id, peers := range seen.GetPeersByOrg() {
		for _, each := range peers.GetPeers() {
			view.Peers[id] = append(view.Peers[id], string(each.GetIdentity()))
		}
	}
	block, err := channel.GetConfigBlock(ctx, connection, admin, name)
	if err != nil {
		return View{}, err
	}
	view.Anchors, err = anchorsOf(block)
	return view, err
}

func (m *Member) admin() (identity.SigningIdentity, error) {
	pair := m.identities[fabric.AdminIdentity(m.Plan.Spec.Member)]
	certificate, err := gatewayid.CertificateFromPEM(pair.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := gatewayid.PrivateKeyFromPEM(pair.Key)
	if err != nil {
		return nil, err
	}
	return identity.NewPrivateKeySigningIdentity(fabric.MSPID(m.Plan, m.Plan.Spec.Member), certificate, key)
}

// anchorsOf reads the anchor peers out of a configuration block.
func anchorsOf(block *common.Block) (map[string][]string, error) {
	envelope, payload, config := &common.Envelope{}, &common.Payload{}, &common.ConfigEnvelope{}
	if err := proto.Unmarshal(block.GetData().GetData()[0], envelope); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(envelope.GetPayload(), payload); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(payload.GetData(), config); err != nil {
		return nil, err
	}
	anchors := map[string][]string{}
	for id := range config.GetConfig().GetChannelGroup().GetGroups()[configtx.ApplicationGroupKey].GetGroups() {
		change := configtx.New(config.GetConfig())
		known, err := change.Application().Organization(id).AnchorPeers()
		if err != nil {
			return nil, err
		}
		for _, address := range known {
			anchors[id] = append(anchors[id], address.Host)
		}
	}
	return anchors, nil
}
