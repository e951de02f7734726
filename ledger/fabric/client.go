package fabric

import (
	"context"
	"errors"
	"fmt"
	"iter"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"google.golang.org/grpc"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

var _ ledger.Connector = (*Driver)(nil)

// Access is how the Member's applications connect: at its first peer, under the identity that is made for them.
func (d *Driver) Access(ctx context.Context, plan *v1alpha1.MemberPlan, keys ledger.Keys) (ledger.Access, error) {
	member := plan.Spec.Member
	peers := (&session{network: network{plan: plan}}).peers()
	if len(peers) == 0 {
		return ledger.Access{}, fmt.Errorf("%s runs no peer in consortium %s: a client needs one", member, plan.Spec.Consortium)
	}
	user, node := UserIdentity(member), nodeTLS(peers[0])
	access := ledger.Access{
		Address: nodeAddress(plan, peers[0], v1alpha1.PortPeer), Organization: MSPID(plan, member), Members: map[string]string{}, Dial: d.dial,
	}
	for _, m := range plan.Spec.Members {
		access.Members[MSPID(plan, m.Name)] = m.Name
	}
	var err error
	if access.Identity, err = keys(ctx, user); err != nil {
		return ledger.Access{}, fmt.Errorf("identity %s: %w", user, err)
	}
	pair, err := keys(ctx, node)
	if err != nil {
		return ledger.Access{}, fmt.Errorf("identity %s: %w", node, err)
	}
	access.Roots = pair.CA
	return access, nil
}

// connected is a connection to a peer, which serves an identity as its gateway.
type connected struct {
	access     ledger.Access
	connection *grpc.ClientConn
	gateway    *gateway.Gateway
}

func (d *Driver) connect(access ledger.Access) (*connected, error) {
	signer, err := signingIdentity(access.Organization, access.Identity)
	if err != nil {
		return nil, fmt.Errorf("the client's identity: %w", err)
	}
	roots, err := rootsOf(access.Roots)
	if err != nil {
		return nil, fmt.Errorf("the roots of %s: %w", access.Address, err)
	}
	dial := access.Dial
	if dial == nil {
		dial = d.dial
	}
	connection, err := connect(dial, access.Address, roots, maxBlockBytes)
	if err != nil {
		return nil, err
	}
	opened, err := gateway.Connect(signer, gateway.WithClientConnection(connection), gateway.WithHash(hash.NONE), gateway.WithSign(signer.Sign))
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return &connected{access: access, connection: connection, gateway: opened}, nil
}

// member is the Member that has an MSP ID.
func (c *connected) member(mspID string) string {
	if name := c.access.Members[mspID]; name != "" {
		return name
	}
	return memberOfMSPID(mspID)
}

// Close ends the connection.
func (c *connected) Close() error {
	return errors.Join(c.gateway.Close(), c.connection.Close())
}

// client calls contracts through one peer, which finds the other organizations' endorsers itself.
type client struct{ *connected }

// Client opens a client.
func (d *Driver) Client(access ledger.Access) (ledger.Client, error) {
	c, err := d.connect(access)
	if err != nil {
		return nil, err
	}
	return &client{c}, nil
}

func proposal(call ledger.Call) []gateway.ProposalOption {
	options := []gateway.ProposalOption{gateway.WithArguments(call.Arguments...)}
	if len(call.Private) > 0 {
		options = append(options, gateway.WithTransient(call.Private))
	}
	if len(call.Endorsers) > 0 {
		options = append(options, gateway.WithEndorsingOrganizations(call.Endorsers...))
	}
	return options
}

// Submit has a transaction endorsed, ordered and committed.
func (c *client) Submit(ctx context.Context, call ledger.Call) (ledger.Result, error) {
	contract := c.gateway.GetNetwork(call.Channel).GetContract(call.Contract)
	answer, commit, err := contract.SubmitAsyncWithContext(ctx, call.Function, proposal(call)...)
	if err != nil {
		return ledger.Result{}, failure(err)
	}
	status, err := commit.StatusWithContext(ctx)
	if err != nil {
		return ledger.Result{}, failure(err)
	}
	if !status.Successful {
		return ledger.Result{}, invalidated(status.TransactionID, status.Code, nil)
	}
	return ledger.Result{Answer: answer, Transaction: status.TransactionID, Block: status.BlockNumber}, nil
}

// Evaluate asks the contract at this Member's peers and changes nothing.
func (c *client) Evaluate(ctx context.Context, call ledger.Call) ([]byte, error) {
	answer, err := c.gateway.GetNetwork(call.Channel).GetContract(call.Contract).EvaluateWithContext(ctx, call.Function, proposal(call)...)
	if err != nil {
		return nil, failure(err)
	}
	return answer, nil
}

// checkpoint is a position as the library takes one.
type checkpoint ledger.Position

func (p checkpoint) BlockNumber() uint64   { return p.Block }
func (p checkpoint) TransactionID() string { return p.Transaction }

// Events are a contract's.
func (c *client) Events(ctx context.Context, channel, contract string, from *ledger.Position) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var options []gateway.ChaincodeEventsOption
		if from != nil {
			// A checkpoint at block 0 without a transaction counts as none.
			options = append(options, gateway.WithStartBlock(from.Block), gateway.WithCheckpoint(checkpoint(*from)))
		}
		events, err := c.gateway.GetNetwork(channel).ChaincodeEvents(ctx, contract, options...)
		if err != nil {
			cancel()
			yield(ledger.Event{}, fmt.Errorf("read the events of contract %s on channel %s: %w", contract, channel, failure(err)))
			return
		}
		defer drain(cancel, events)
		for e := range events {
			if !yield(ledger.Event{
				Contract: e.ChaincodeName, Name: e.EventName, Payload: e.Payload, Transaction: e.TransactionID, Block: e.BlockNumber,
			}, nil) {
				return
			}
		}
		yield(ledger.Event{}, streamEnded(ctx, "events of contract "+contract+" on channel "+channel))
	}
}
