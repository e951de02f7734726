package fabric

import (
	"context"
	"errors"
	"fmt"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"google.golang.org/grpc"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Client calls contracts through one of a Member's own peers, which finds the other organizations' endorsers itself.
type Client struct {
	connection *grpc.ClientConn
	gateway    *gateway.Gateway
}

// Client opens a client that acts under one of the Member's own identities, such as UserIdentity, at one of its peers;
// the first one of the plan if node is empty.
func (e *Engine) Client(ctx context.Context, plan *v1alpha1.MemberPlan, keys ledger.Keys, identity, node string) (*Client, error) {
	if node == "" {
		peers := (&session{network: network{plan: plan}}).peers()
		if len(peers) == 0 {
			return nil, fmt.Errorf("%s runs no peer in consortium %s: a client needs one", plan.Spec.Member, plan.Spec.Consortium)
		}
		node = peers[0]
	}
	pair, err := keys(ctx, identity)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", identity, err)
	}
	signer, err := signingIdentity(MSPID(plan, plan.Spec.Member), pair)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", identity, err)
	}
	roots, err := ownRoots(ctx, plan, keys)
	if err != nil {
		return nil, err
	}
	connection, err := connect(e.dial, nodeAddress(plan, node, v1alpha1.PortPeer), roots)
	if err != nil {
		return nil, err
	}
	connected, err := gateway.Connect(signer, gateway.WithClientConnection(connection), gateway.WithHash(hash.NONE), gateway.WithSign(signer.Sign))
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return &Client{connection: connection, gateway: connected}, nil
}

// Submit has a transaction endorsed, ordered and committed, and returns what the contract answered.
func (c *Client) Submit(ctx context.Context, channel, contract, function string, arguments ...string) ([]byte, error) {
	answer, err := c.gateway.GetNetwork(channel).GetContract(contract).
		SubmitWithContext(ctx, function, gateway.WithArguments(arguments...))
	if err != nil {
		return nil, failure(err)
	}
	return answer, nil
}

// SubmitPrivate submits with data that no block holds, endorsed by some organizations' peers only: those that may see them.
func (c *Client) SubmitPrivate(ctx context.Context, channel, contract string, transient map[string][]byte, mspIDs []string, function string, arguments ...string) ([]byte, error) {
	answer, err := c.gateway.GetNetwork(channel).GetContract(contract).SubmitWithContext(ctx, function,
		gateway.WithArguments(arguments...), gateway.WithTransient(transient), gateway.WithEndorsingOrganizations(mspIDs...))
	if err != nil {
		return nil, withDetails(err)
	}
	return answer, nil
}

// Evaluate asks the contract at this Member's peers and changes nothing.
func (c *Client) Evaluate(ctx context.Context, channel, contract, function string, arguments ...string) ([]byte, error) {
	answer, err := c.gateway.GetNetwork(channel).GetContract(contract).
		EvaluateWithContext(ctx, function, gateway.WithArguments(arguments...))
	if err != nil {
		return nil, failure(err)
	}
	return answer, nil
}

// Close ends the connection.
func (c *Client) Close() error {
	return errors.Join(c.gateway.Close(), c.connection.Close())
}
