package fabric

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
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
	for _, peer := range peers[1:] {
		access.Others = append(access.Others, nodeAddress(plan, peer, v1alpha1.PortPeer))
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

// connected is a connection to each of an organization's peers, which serve an identity as its gateways. They are made as they
// are first used.
type connected struct {
	access      ledger.Access
	sign        identity.Sign
	connections []*grpc.ClientConn
	gateways    []*gateway.Gateway
	// gateway is that of the first peer.
	gateway *gateway.Gateway
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
	c := &connected{access: access, sign: signer.Sign}
	for _, address := range append([]string{access.Address}, access.Others...) {
		connection, err := connect(dial, address, roots, maxBlockBytes)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.connections = append(c.connections, connection)
		opened, err := gateway.Connect(signer, gateway.WithClientConnection(connection), gateway.WithHash(hash.NONE), gateway.WithSign(signer.Sign))
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.gateways = append(c.gateways, opened)
	}
	c.gateway = c.gateways[0]
	return c, nil
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
	var failed []error
	for _, opened := range c.gateways {
		failed = append(failed, opened.Close())
	}
	for _, connection := range c.connections {
		failed = append(failed, connection.Close())
	}
	return errors.Join(failed...)
}

// client calls contracts through one peer, which finds the other organizations' endorsers itself.
type client struct {
	*connected
	pace *pace
}

// Client opens a client.
func (d *Driver) Client(access ledger.Access) (ledger.Client, error) {
	c, err := d.connect(access)
	if err != nil {
		return nil, err
	}
	return &client{c, newPace(d.resubmitAfter)}, nil
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

// Submit has a transaction endorsed, ordered and committed, and submits it again while it is not known what became of it.
func (c *client) Submit(ctx context.Context, call ledger.Call) (ledger.Result, error) {
	proposed, err := c.gateway.GetNetwork(call.Channel).GetContract(call.Contract).NewProposal(call.Function, proposal(call)...)
	if err != nil {
		return ledger.Result{}, failure(err)
	}
	transaction, err := proposed.EndorseWithContext(ctx)
	if err != nil {
		return ledger.Result{}, failure(err)
	}
	submission, err := c.submission(transaction)
	if err != nil {
		return ledger.Result{}, failure(err)
	}
	began := time.Now()
	status, attempts, err := submission.run(ctx)
	if err != nil {
		return ledger.Result{}, failure(err)
	}
	c.pace.committed(time.Since(began))
	if !status.Successful {
		return ledger.Result{}, invalidated(status.TransactionID, status.Code, nil)
	}
	return ledger.Result{
		Answer: transaction.Result(), Transaction: status.TransactionID, Block: status.BlockNumber, Resubmitted: attempts - 1,
	}, nil
}

// submission signs an endorsed transaction once: what is submitted again is the same.
func (c *client) submission(transaction *gateway.Transaction) (*submission, error) {
	raw, err := transaction.Bytes()
	if err != nil {
		return nil, err
	}
	signature, err := c.sign(transaction.Digest())
	if err != nil {
		return nil, err
	}
	submit := func(ctx context.Context, peer int) (commitStatus, error) {
		signed, err := c.gateways[peer].NewSignedTransaction(raw, signature)
		if err != nil {
			return nil, err
		}
		return signed.SubmitWithContext(ctx)
	}
	return &submission{id: transaction.TransactionID(), submit: submit, peers: len(c.gateways), pace: c.pace}, nil
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
