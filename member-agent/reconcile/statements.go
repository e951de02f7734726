package reconcile

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/statement"
)

// Statements keeps signed statements in the own cluster.
type Statements interface {
	// Get reads one; nil if it is not kept.
	Get(ctx context.Context, ref v1alpha1.StatementRef) (*v1alpha1.StatementSpec, error)
	// Has is whether one is kept.
	Has(ctx context.Context, consortium string, ref v1alpha1.StatementRef) (bool, error)
	// Newest is the kept one of a key with the highest sequence.
	Newest(ctx context.Context, consortium string, key statement.Key) (ref v1alpha1.StatementRef, sequence int64, ok bool, err error)
	// Keep stores one that was verified, or signed here.
	Keep(ctx context.Context, s v1alpha1.StatementSpec) error
	// Rejected says why the last one of a member that came by way of the host was not taken; empty if it was.
	Rejected(consortium, member string) string
	// Arrivals counts those about a consortium that were kept since the start.
	Arrivals(consortium string) int
	// Any is whether there are some about a consortium, and Forget deletes them.
	Any(ctx context.Context, consortium string) (bool, error)
	Forget(ctx context.Context, consortium string) error
}

// Pins reads the pinned roots from the agent's namespace.
func Pins(reader client.Reader, namespace string) func(ctx context.Context) (statement.Pins, error) {
	return func(ctx context.Context) (statement.Pins, error) {
		pins, _, err := readPins(ctx, reader, namespace)
		return pins, err
	}
}

// StatementsChanged is called when another statement about a consortium is kept.
func (r *Reconciler) StatementsChanged(consortium string) { r.planTrigger.Enqueue(consortium) }

// StatementReceived is called by discovery with a verified statement that was requested.
func (r *Reconciler) StatementReceived(_ string, s v1alpha1.StatementSpec) {
	go func() {
		if err := r.keepReceived(r.base, s); err != nil {
			r.Log.Error(err, "keep a statement that has come by gossip", "consortium", s.Consortium)
		}
	}()
}

// keepReceived keeps a statement of a consortium that the member takes part in. What comes just as the consortium retires may
// be kept nevertheless, and is removed by forgetRetired.
func (r *Reconciler) keepReceived(ctx context.Context, s v1alpha1.StatementSpec) error {
	var plan v1alpha1.MemberPlan
	err := r.Cache.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: s.Consortium}, &plan)
	if err != nil || plan.Spec.Retire {
		return client.IgnoreNotFound(err)
	}
	return r.Statements.Keep(ctx, s)
}

// forgetRetired removes what is kept of a retired consortium, whenever it was kept.
func (r *Reconciler) forgetRetired(ctx context.Context, consortium string) error {
	if left, err := r.Statements.Any(ctx, consortium); err != nil || !left {
		return err
	}
	return r.Statements.Forget(ctx, consortium)
}

// LoadStatement finds a kept statement that another member asks for.
func (r *Reconciler) LoadStatement(ctx context.Context, consortium string, key statement.Key) *v1alpha1.StatementSpec {
	s, err := r.newest(ctx, consortium, key)
	if err != nil {
		r.Log.Error(err, "read a statement for another member", "consortium", consortium)
		return nil
	}
	return s
}

// newest reads the newest kept statement of a key; nil if there is none.
func (r *Reconciler) newest(ctx context.Context, consortium string, key statement.Key) (*v1alpha1.StatementSpec, error) {
	ref, _, ok, err := r.Statements.Newest(ctx, consortium, key)
	if err != nil || !ok {
		return nil, err
	}
	return r.Statements.Get(ctx, ref)
}

// publishOwn signs, keeps and publishes what the member says about itself, unless it was said already.
func (r *Reconciler) publishOwn(ctx context.Context, p *planProgress, issued identity.Issued, org *organization) error {
	record, err := statement.NewRecord(buildRecord(p.plan, r.Planners.Describe(p.plan), issued, r.LineAddresses))
	if err != nil {
		return err
	}
	if p.status.Record, err = r.publish(ctx, org, record); err != nil {
		return err
	}
	held := holdings(r.ledgers.channels(p.plan))
	if len(held) == 0 && p.status.Holdings == "" {
		return nil
	}
	all, err := statement.NewHoldings(p.plan.Spec.Consortium, r.Member, held)
	if err != nil {
		return err
	}
	p.status.Holdings, err = r.publish(ctx, org, all)
	return err
}

// publish signs a statement, if it was not said before, keeps it here and tells the group. It returns the digest.
func (r *Reconciler) publish(ctx context.Context, org *organization, s v1alpha1.StatementSpec) (string, error) {
	signed, err := r.sign(ctx, org, s)
	if err != nil {
		return "", err
	}
	if err := r.Discovery.Publish(s.Consortium, *signed); err != nil {
		r.Log.V(1).Info("the own statement is not published yet", "consortium", s.Consortium, "kind", s.Kind, "error", err.Error())
	}
	return statement.Digest(signed), nil
}

// sign returns the last statement of the kind and subject if nothing has changed, or signs and keeps a new one.
func (r *Reconciler) sign(ctx context.Context, org *organization, s v1alpha1.StatementSpec) (*v1alpha1.StatementSpec, error) {
	key := statement.KeyOf(&s)
	known := r.Discovery.Signed(s.Consortium, key.Member, key.Kind).Statement
	kept, sequence, ok, err := r.Statements.Newest(ctx, s.Consortium, key)
	if err != nil {
		return nil, err
	}
	var last *v1alpha1.StatementSpec
	if ok && (known == nil || known.Sequence != sequence || key.Subject != "") {
		if last, err = r.Statements.Get(ctx, kept); err != nil {
			return nil, err
		}
	}
	next, unchanged := withSequence(s, org.certificates, r.Now(), known, last)
	if unchanged == nil {
		signed, err := statement.Sign(org.signer, org.certificates, next, statement.Content)
		if err != nil {
			return nil, fmt.Errorf("sign the member's statement of kind %s: %w", s.Kind, err)
		}
		unchanged = &signed
	}
	if has, err := r.Statements.Has(ctx, s.Consortium, statement.Ref(unchanged)); err != nil || has {
		return unchanged, err
	}
	return unchanged, r.Statements.Keep(ctx, *unchanged)
}

// offerKept hands to discovery what is kept of the other members' statements and is newer than what it knows. It returns
// why a member's was not taken.
func (r *Reconciler) offerKept(ctx context.Context, p *planProgress) map[string]string {
	consortium, refused := p.plan.Spec.Consortium, map[string]string{}
	for _, m := range p.plan.Spec.Members {
		if m.Name == r.Member {
			continue
		}
		if why := r.Statements.Rejected(consortium, m.Name); why != "" {
			refused[m.Name] = why
		}
		for _, kind := range []v1alpha1.StatementKind{v1alpha1.StatementRecord, v1alpha1.StatementHoldings} {
			if err := r.offerNewest(ctx, consortium, m.Name, kind); err != nil {
				refused[m.Name] = err.Error()
			}
		}
	}
	return refused
}

func (r *Reconciler) offerNewest(ctx context.Context, consortium, member string, kind v1alpha1.StatementKind) error {
	ref, sequence, ok, err := r.Statements.Newest(ctx, consortium, statement.Key{Member: member, Kind: kind})
	if err != nil || !ok {
		return err
	}
	if known := r.Discovery.Signed(consortium, member, kind).Statement; known != nil && known.Sequence >= sequence {
		return nil
	}
	kept, err := r.Statements.Get(ctx, ref)
	if err != nil || kept == nil {
		return err
	}
	return r.Discovery.Offer(consortium, *kept)
}

// firstBlocks are the statements with first blocks of one plan.
type firstBlocks struct {
	r    *Reconciler
	plan *v1alpha1.MemberPlan
}

// Find is the first block of a channel in a statement that is kept here: the one that the plan refers to, or the leader's.
// What is not here is asked of the members; nil until it has come.
func (b firstBlocks) Find(ctx context.Context, channel v1alpha1.PlanChannel, leader string) ([]byte, error) {
	consortium := b.plan.Spec.Consortium
	key := statement.Key{Member: leader, Kind: v1alpha1.StatementGenesis, Subject: channel.Name}
	var found *v1alpha1.StatementSpec
	var err error
	if channel.Genesis != nil {
		key.Member = channel.Genesis.Member
		if has, err := b.r.Statements.Has(ctx, consortium, *channel.Genesis); err != nil {
			return nil, err
		} else if has {
			found, err = b.r.Statements.Get(ctx, *channel.Genesis)
			if err != nil {
				return nil, err
			}
		}
	}
	if found == nil {
		if found, err = b.r.newest(ctx, consortium, key); err != nil {
			return nil, err
		}
	}
	if found == nil {
		b.r.Discovery.Request(consortium, key)
		return nil, nil
	}
	block, err := statement.Genesis(found)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ledger.ErrGenesisRefused, err.Error())
	}
	return block, nil
}

// Publish signs and keeps a statement with the first block of a channel, compressed, and returns its digest.
func (b firstBlocks) Publish(ctx context.Context, channel string, compressed []byte) (string, error) {
	org := b.r.organization.Load()
	if org.signer == nil {
		return "", errors.New("the organization's own identity has not been issued yet")
	}
	signed, err := b.r.sign(ctx, org, statement.NewGenesis(b.plan.Spec.Consortium, b.r.Member, channel, compressed))
	if err != nil {
		return "", err
	}
	return statement.Digest(signed), nil
}
