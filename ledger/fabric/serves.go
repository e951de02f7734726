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
	"github.com/hanse-io/hanse/ledger"
)

// metadataFunction is answered by every contract that uses Fabric's contract API, and rejected by the others: both are an
// answer.
const metadataFunction = "org.hyperledger.fabric:GetMetadata"

// chaincodeResponse is in a peer's error if the contract itself has answered with an error.
const chaincodeResponse = "chaincode response"

// Serves queries the contract at each of the Member's reachable peers, and whether each sees the peers that have to
// endorse a transaction. An error says what is missing.
func (s *session) Serves(ctx context.Context, contract v1alpha1.PlanContract) error {
	var unreachable []error
	served := false
	for _, node := range s.peers() {
		connection, err := s.peer(node)
		if err == nil {
			err = s.checkServingAt(ctx, connection, contract)
		}
		switch {
		case err == nil:
			served = true
		case isUnreachable(err):
			unreachable = append(unreachable, waitIfUnreachable(node, err))
		default:
			return s.stepError(ctx, "query", contract, fmt.Errorf("%s: %w", node, withDetails(err)))
		}
	}
	if served {
		return nil
	}
	return errors.Join(unreachable...)
}

func (s *session) checkServingAt(ctx context.Context, connection *grpc.ClientConn, contract v1alpha1.PlanContract) error {
	client, err := gateway.Connect(s.admin, gateway.WithClientConnection(connection), gateway.WithHash(hash.NONE), gateway.WithSign(s.admin.Sign))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	_, err = client.GetNetwork(contract.Channel).GetContract(contract.Name).
		EvaluateWithContext(ctx, metadataFunction, gateway.WithEndorsingOrganizations(s.admin.MspID()))
	if err != nil && !strings.Contains(withDetails(err).Error(), chaincodeResponse) {
		return err
	}
	return s.checkEndorsers(ctx, connection, contract)
}

// checkEndorsers queries a peer's service discovery for endorsers that satisfy the contract's policy, as applications do.
func (s *session) checkEndorsers(ctx context.Context, connection *grpc.ClientConn, contract v1alpha1.PlanContract) error {
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
			waiting.Cause = errors.New(rootCause(errors.New(said)))
			return waiting
		}
	}
	return nil
}
