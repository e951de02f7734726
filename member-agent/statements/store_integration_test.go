//go:build integration

package statements

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
	"github.com/hanse-io/hanse/statement"
)

const trade = "trade"

// organization signs statements as its agent does.
type organization struct {
	name, root, chain string
	key               crypto.Signer
}

func newOrganization(t *testing.T, name string) organization {
	t.Helper()
	authority, err := fabrictest.NewAuthority(name)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(ledger.Identity{CommonName: name, DNSNames: []string{v1alpha1.AgentServerName(name)}, Server: true, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	key, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	return organization{name: name, root: string(authority.PEM), chain: string(pair.Certificate), key: key.PrivateKey.(crypto.Signer)}
}

func (o organization) sign(t *testing.T, s v1alpha1.StatementSpec, sequence int64) v1alpha1.StatementSpec {
	t.Helper()
	s.Sequence = sequence
	signed, err := statement.Sign(o.key, o.chain, s, statement.Content)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (o organization) record(t *testing.T, sequence int64) v1alpha1.StatementSpec {
	t.Helper()
	s, err := statement.NewRecord(v1alpha1.Record{Consortium: trade, Member: o.name})
	if err != nil {
		t.Fatal(err)
	}
	return o.sign(t, s, sequence)
}

func (o organization) block(t *testing.T, channel string, sequence int64) v1alpha1.StatementSpec {
	t.Helper()
	packed, err := statement.Compress([]byte("block of " + channel))
	if err != nil {
		t.Fatal(err)
	}
	return o.sign(t, statement.NewGenesis(trade, o.name, channel, packed), sequence)
}

// TestStore has each property of the store hold on an API server.
func TestStore(t *testing.T) {
	env, config, plain, err := testcluster.StartWithCRDs("../../charts/member-agent/crds", v1alpha1.AddToScheme, corev1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	c, err := client.NewWithWatch(config, client.Options{Scheme: plain.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		why string
		run func(*testing.T, *Store)
	}{
		{"the newest of each kind and subject, over a restart", newest},
		{"what newer ones replace is deleted, and nothing else", retention},
		{"a consortium is forgotten, and no other", forgets},
		{"what is kept while a consortium is forgotten is known, and forgotten the next time", forgetsLater},
		{"only what the plan refers to, and its Member has signed, is taken", takes},
		{"what somebody has deleted is missing, and what somebody has put under another's name is not believed", tampered},
	} {
		t.Run(test.why, func(t *testing.T) {
			store := &Store{Client: c, Namespace: "default", Member: "org1", Owner: "test", Now: time.Now,
				Pins: func(context.Context) (statement.Pins, error) { return nil, nil }}
			test.run(t, store)
			for _, consortium := range []string{trade, "fish"} {
				if err := store.Forget(t.Context(), consortium); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func keep(t *testing.T, store *Store, all ...v1alpha1.StatementSpec) {
	t.Helper()
	for _, s := range all {
		if err := store.Keep(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// restarted is another process's store on the same objects.
func restarted(s *Store) *Store {
	return &Store{Client: s.Client, Namespace: s.Namespace, Member: s.Member, Owner: s.Owner, Pins: s.Pins, Now: s.Now}
}

func newest(t *testing.T, store *Store) {
	var woken []string
	store.Changed = func(consortium string) { woken = append(woken, consortium) }
	org2 := newOrganization(t, "org2")
	old, current, goods := org2.record(t, 5), org2.record(t, 9), org2.block(t, "goods", 7)
	keep(t, store, current, old, goods, goods)
	if len(woken) != 4 || store.Arrivals(trade) != 4 {
		t.Errorf("woken %v, %d arrivals", woken, store.Arrivals(trade))
	}
	for _, s := range []*Store{store, restarted(store)} {
		for key, want := range map[statement.Key]*v1alpha1.StatementSpec{
			{Member: "org2", Kind: v1alpha1.StatementRecord}:                    &current,
			{Member: "org2", Kind: v1alpha1.StatementGenesis, Subject: "goods"}: &goods,
			{Member: "org2", Kind: v1alpha1.StatementGenesis, Subject: "deals"}: nil,
			{Member: "org3", Kind: v1alpha1.StatementRecord}:                    nil,
		} {
			ref, sequence, ok, err := s.Newest(t.Context(), trade, key)
			if err != nil || ok != (want != nil) {
				t.Fatalf("%v: %t, %v", key, ok, err)
			}
			if want == nil {
				continue
			}
			got, err := s.Get(t.Context(), ref)
			if err != nil || got == nil || sequence != want.Sequence || !statement.Equal(got, want) {
				t.Errorf("%v: sequence %d, %v", key, sequence, err)
			}
		}
	}
}

func retention(t *testing.T, store *Store) {
	org1, org2 := newOrganization(t, "org1"), newOrganization(t, "org2")
	keep(t, store, org2.record(t, 1), org1.record(t, 2), org2.block(t, "goods", 3), org2.record(t, 4), org2.record(t, 5))
	var list v1alpha1.StatementList
	if err := store.Client.List(t.Context(), &list, client.InNamespace(store.Namespace)); err != nil {
		t.Fatal(err)
	}
	var left []int64
	for _, o := range list.Items {
		left = append(left, o.Spec.Sequence)
	}
	slices.Sort(left)
	if !slices.Equal(left, []int64{2, 3, 4, 5}) {
		t.Errorf("left are %v", left)
	}
	own, err := store.Own(t.Context(), trade)
	if err != nil || len(own) != 1 || own[0].Member != "org1" {
		t.Errorf("own are %v, %v", own, err)
	}
}

func forgets(t *testing.T, store *Store) {
	org2 := newOrganization(t, "org2")
	other, err := statement.NewHoldings("fish", "org2", nil)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, store, org2.record(t, 1), org2.sign(t, other, 1))
	if err := store.Forget(t.Context(), trade); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{store, restarted(store)} {
		if _, _, ok, err := s.Newest(t.Context(), trade, statement.Key{Member: "org2", Kind: v1alpha1.StatementRecord}); ok || err != nil {
			t.Errorf("still there: %v", err)
		}
		if _, _, ok, err := s.Newest(t.Context(), "fish", statement.Key{Member: "org2", Kind: v1alpha1.StatementHoldings}); !ok || err != nil {
			t.Errorf("another consortium's is gone: %v", err)
		}
	}
}

func forgetsLater(t *testing.T, store *Store) {
	org2 := newOrganization(t, "org2")
	first, late := org2.record(t, 1), org2.block(t, "goods", 2)
	keep(t, store, first)
	server := store.Client.(client.WithWatch)
	store.Client = interceptor.NewClient(server, interceptor.Funcs{
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteAllOfOption) error {
			err := c.DeleteAllOf(ctx, object, opts...)
			store.Client = server
			keep(t, store, late)
			return err
		},
	})
	for round, want := range []bool{true, false} {
		if err := store.Forget(t.Context(), trade); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Store{store, restarted(store)} {
			if left, err := s.Any(t.Context(), trade); left != want || err != nil {
				t.Errorf("forgotten %d times: statements are left: %t, %v", round+1, left, err)
			}
		}
	}
}

func takes(t *testing.T, store *Store) {
	org1, org2, org3, impostor := newOrganization(t, "org1"), newOrganization(t, "org2"), newOrganization(t, "org3"), newOrganization(t, "org2")
	store.Pins = func(context.Context) (statement.Pins, error) {
		return statement.Pins{"org2": org2.root, "org9": org3.root}, nil
	}
	record, goods := org2.record(t, 5), org2.block(t, "goods", 6)
	forged, unpinned, own := impostor.record(t, 8), org3.record(t, 1), org1.record(t, 1)
	plan := func(record, goods v1alpha1.StatementSpec) *v1alpha1.MemberPlan {
		p := &v1alpha1.MemberPlan{}
		p.Spec.Member, p.Spec.Consortium = "org1", trade
		p.Spec.Members = []v1alpha1.PlanMember{{Name: "org1", Record: statement.Digest(&own)}, {Name: "org2"}, {Name: "org3", Record: statement.Digest(&unpinned)}}
		p.Spec.Members[1].Record = statement.Digest(&record)
		ref := statement.Ref(&goods)
		p.Spec.Channels = []v1alpha1.PlanChannel{{Name: "goods", Genesis: &ref}}
		return p
	}
	good := plan(record, goods)
	missing, err := store.Missing(t.Context(), good)
	if want := []v1alpha1.StatementRef{statement.Ref(&record), statement.Ref(&unpinned), statement.Ref(&goods)}; err != nil || !slices.Equal(missing, want) {
		t.Errorf("missing are %v, %v", missing, err)
	}
	tampered := record
	tampered.Signature = []byte("s")
	stray := goods
	stray.Subject = "deals"
	for _, row := range []struct {
		why   string
		plan  *v1alpha1.MemberPlan
		ref   v1alpha1.StatementRef
		given v1alpha1.StatementSpec
		want  error
	}{
		{"a member whose root is not pinned yet", good, statement.Ref(&unpinned), unpinned, statement.ErrNoRoot},
		{"another one than the plan names", good, statement.Ref(&record), org2.record(t, 6), statement.ErrMalformed},
		{"a record where a first block is named", plan(goods, goods), statement.Ref(&goods), record, statement.ErrMalformed},
		{"a first block where a record is named", plan(goods, record), statement.Ref(&goods), goods, statement.ErrMalformed},
		{"one of a captured host, which the plan names", plan(forged, goods), statement.Ref(&forged), forged, statement.ErrUntrusted},
		{"another signature", good, statement.Ref(&record), tampered, statement.ErrSignature},
		{"another channel's first block", plan(record, stray), statement.Ref(&stray), stray, statement.ErrMalformed},
		{"the record", good, statement.Ref(&record), record, nil},
		{"the first block", good, statement.Ref(&goods), goods, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			if err := store.Take(t.Context(), row.plan, row.ref, row.given); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
			has, err := store.Has(t.Context(), trade, row.ref)
			if err != nil || has != (row.want == nil) {
				t.Errorf("kept: %t, %v", has, err)
			}
			if told := store.Rejected(trade, row.ref.Member) != ""; told != (row.want != nil) {
				t.Errorf("says why not: %t", told)
			}
		})
	}
	// A first block is signed once: it counts after its signer's certificate has ended, unlike a record.
	store.Now = func() time.Time { return time.Now().AddDate(50, 0, 0) }
	later := org2.block(t, "goods", 9)
	if err := store.Take(t.Context(), plan(record, later), statement.Ref(&later), later); err != nil {
		t.Errorf("a first block of long ago: %v", err)
	}
	late := org2.record(t, 9)
	if err := store.Take(t.Context(), plan(late, goods), statement.Ref(&late), late); !errors.Is(err, statement.ErrExpired) {
		t.Errorf("a record of long ago: %v", err)
	}
}

func tampered(t *testing.T, store *Store) {
	org2 := newOrganization(t, "org2")
	record := org2.record(t, 5)
	keep(t, store, record)
	object := Object(record, store.Namespace)
	changed := &v1alpha1.Statement{}
	if err := store.Client.Get(t.Context(), client.ObjectKeyFromObject(object), changed); err != nil {
		t.Fatal(err)
	}
	changed.Spec.Sequence = 99
	if err := store.Client.Update(t.Context(), changed); !apierrors.IsInvalid(err) {
		t.Errorf("what was signed could be changed: %v", err)
	}
	if err := store.Client.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Get(t.Context(), statement.Ref(&record)); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if has, err := store.Has(t.Context(), trade, statement.Ref(&record)); has || err != nil {
		t.Errorf("still counted as kept: %v", err)
	}
	other := Object(record, store.Namespace)
	other.Spec.Sequence = 6
	if err := store.Client.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), statement.Ref(&record)); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("believed: %v", err)
	}
	misnamed := Object(record, store.Namespace)
	misnamed.Name = "org3" + misnamed.Name[4:]
	if err := store.Client.Create(t.Context(), misnamed); !apierrors.IsInvalid(err) {
		t.Errorf("under another member's name: %v", err)
	}
}
