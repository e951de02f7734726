package fabric

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-protos-go-apiv2/discovery"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// metadataFunction is answered by every contract that is made with Fabric's contract API, and refused by the others: either
// way somebody has answered.
const metadataFunction = "org.hyperledger.fabric:GetMetadata"

// answeredByContract is what a peer says of an answer that is the contract's own, be it a refusal.
const answeredByContract = "chaincode response"

// Serves asks the contract at each of the Member's peers that can be reached, and each of these whether it sees the peers that
// a transaction has to be endorsed by. An error says what it waits for.
func (s *session) Serves(ctx context.Context, contract v1alpha1.PlanContract) error {
	var silent []error
	served := false
	for _, node := range s.peers() {
		connection, err := s.peer(node)
		if err == nil {
			err = s.servesAt(ctx, connection, contract)
		}
		switch {
		case err == nil:
			served = true
		case unreachable(err):
			silent = append(silent, answered(node, err))
		default:
			return s.failed(ctx, "query", contract, fmt.Errorf("%s: %w", node, explain(err)))
		}
	}
	if served {
		return nil
	}
	return errors.Join(silent...)
}

func (s *session) servesAt(ctx context.Context, connection *grpc.ClientConn, contract v1alpha1.PlanContract) error {
	client, err := gateway.Connect(s.admin, gateway.WithClientConnection(connection), gateway.WithHash(hash.NONE), gateway.WithSign(s.admin.Sign))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	_, err = client.GetNetwork(contract.Channel).GetContract(contract.Name).
		EvaluateWithContext(ctx, metadataFunction, gateway.WithEndorsingOrganizations(s.admin.MspID()))
	if err != nil && !strings.Contains(explain(err).Error(), answeredByContract) {
		return err
	}
	return s.endorsable(ctx, connection, contract)
}

// endorsable asks a peer for a set of peers that together meet the contract's endorsement policy, as applications' clients do.
func (s *session) endorsable(ctx context.Context, connection *grpc.ClientConn, contract v1alpha1.PlanContract) error {
	identity, err := proto.Marshal(&msp.SerializedIdentity{Mspid: s.admin.MspID(), IdBytes: s.admin.Credentials()})
	if err != nil {
		return err
	}
	payload, err := proto.Marshal(&discovery.Request{
		Authentication: &discovery.AuthInfo{ClientIdentity: identity},
		Queries: []*discovery.Query{{Channel: contract.Channel, Query: &discovery.Query_CcQuery{CcQuery: &discovery.ChaincodeQuery{
			Interests: []*peer.ChaincodeInterest{{Chaincodes: []*peer.ChaincodeCall{{Name: contract.Name}}}},
		}}}},
	})
	if err != nil {
		return err
	}
	signature, err := s.admin.Sign(payload)
	if err != nil {
		return err
	}
	response, err := discovery.NewDiscoveryClient(connection).Discover(ctx, &discovery.SignedRequest{Payload: payload, Signature: signature})
	if err != nil {
		return err
	}
	for _, result := range response.GetResults() {
		if said := result.GetError().GetContent(); said != "" {
			waiting := ledger.WaitingFor("this member's peers to see enough of the others' with the contract")
			waiting.Cause = errors.New(essence(errors.New(said)))
			return waiting
		}
	}
	return nil
}
