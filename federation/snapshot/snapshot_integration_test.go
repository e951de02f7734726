//go:build integration

package snapshot

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

const namespace = "default"

// indexed starts an API server with the host's kinds, and a cache of it with this package's indexes.
func indexed(t *testing.T) (client.Client, Reader) {
	t.Helper()
	env, config, direct, err := testcluster.StartWithCRDs("../../charts/federation/crds", v1alpha1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	c, err := cache.New(config, cache.Options{Scheme: direct.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	if err := Index(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Start(t.Context()) }()
	if !c.WaitForCacheSync(t.Context()) {
		t.Fatal("the cache does not come up")
	}
	return direct, Reader{Cache: c, Planners: ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}}
}

func meta(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }

func consortium(name string, members ...string) *v1alpha1.Consortium {
	c := &v1alpha1.Consortium{ObjectMeta: meta(name)}
	for i, m := range members {
		member := v1alpha1.ConsortiumMember{Name: m}
		if i == 0 {
			member.Role = v1alpha1.RoleLeader
		}
		c.Spec.Members = append(c.Spec.Members, member)
	}
	return c
}

func line(name string, a, b v1alpha1.LineEnd) *v1alpha1.Line {
	return &v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.LineSpec{Ends: []v1alpha1.LineEnd{a, b}}}
}

func end(member, address string) v1alpha1.LineEnd {
	return v1alpha1.LineEnd{Member: member, Address: address}
}

func names[T any](objects []T, name func(*T) string) []string {
	all := make([]string, 0, len(objects))
	for i := range objects {
		all = append(all, name(&objects[i]))
	}
	slices.Sort(all)
	return all
}

// checkUnobserved holds that an object has a status before any controller has written one, and that it says so: kstatus takes
// an object for current that has none.
func checkUnobserved(t *testing.T, direct client.Client) {
	t.Helper()
	for kind, key := range map[string]types.NamespacedName{
		"Member": {Name: "a"}, "Line": {Name: "a-b"}, "Consortium": {Namespace: namespace, Name: "trade"},
		"Channel": {Namespace: namespace, Name: "settlement"}, "Contract": {Namespace: namespace, Name: "notary"},
	} {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
		if err := direct.Get(t.Context(), key, u); err != nil {
			t.Fatal(err)
		}
		if observed, found, err := unstructured.NestedInt64(u.Object, "status", "observedGeneration"); err != nil || !found || observed != 0 || u.GetGeneration() != 1 {
			t.Errorf("%s: generation %d, observed %d, %v, %v", kind, u.GetGeneration(), observed, found, err)
		}
	}
}

// TestReader: of everything that is declared, a Consortium's inputs are what concerns it and nothing else, and every object
// leads to the Consortia that depend on it.
func TestReader(t *testing.T) {
	direct, r := indexed(t)
	channel := func(name, of string) *v1alpha1.Channel {
		return &v1alpha1.Channel{ObjectMeta: meta(name), Spec: v1alpha1.ChannelSpec{Consortium: of}}
	}
	contract := func(name, on string) *v1alpha1.Contract {
		return &v1alpha1.Contract{ObjectMeta: meta(name), Spec: v1alpha1.ContractSpec{Channel: on, Template: v1alpha1.TemplateNotary}}
	}
	ours := line("a-b", end("a", "192.0.2.1"), end("b", "192.0.2.2"))
	last := contract("elsewhere", "missing")
	for _, object := range []client.Object{
		&v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "b"}},
		&v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "c"}},
		consortium("trade", "a", "b"), consortium("fish", "b", "c"),
		channel("settlement", "trade"), channel("customs", "trade"), channel("catch", "fish"), channel("lone", "nowhere"),
		contract("notary", "settlement"), contract("asset", "catch"), contract("orphan", "lone"),
		ours, line("same-addresses", end("c", "192.0.2.2"), end("a", "192.0.2.1")), line("b-c", end("b", "192.0.2.3"), end("c", "192.0.2.4")),
		last,
	} {
		if err := direct.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	checkUnobserved(t, direct)
	var in struct{ members, channels, contracts, lines []string }
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		got, err := r.Consortium(ctx, types.NamespacedName{Namespace: namespace, Name: "trade"})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		in.members = nil
		for name := range got.Members {
			in.members = append(in.members, name)
		}
		slices.Sort(in.members)
		in.channels = names(got.Channels, func(c *v1alpha1.Channel) string { return c.Name })
		in.contracts = names(got.Contracts, func(c *v1alpha1.Contract) string { return c.Name })
		in.lines = names(got.Lines, func(l *v1alpha1.Line) string { return l.Name })
		seen := r.Cache.Get(ctx, client.ObjectKeyFromObject(last), &v1alpha1.Contract{}) == nil
		return seen && len(in.members) == 2 && len(in.channels) == 2 && len(in.contracts) == 1 && len(in.lines) == 2, err
	})
	if err != nil {
		t.Fatalf("%v: %+v", err, in)
	}
	want := struct{ members, channels, contracts, lines []string }{
		[]string{"a", "b"}, []string{"customs", "settlement"}, []string{"notary"}, []string{"a-b", "same-addresses"},
	}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, want %+v", in, want)
	}
	dependents(t, r, ours)
	channels, contracts, err := r.Declared(t.Context(), types.NamespacedName{Namespace: namespace, Name: "nowhere"})
	if err != nil || len(channels) != 1 || channels[0].Name != "lone" || len(contracts) != 1 || contracts[0].Name != "orphan" {
		t.Errorf("what names a Consortium that does not exist: %v, %v, %v", channels, contracts, err)
	}
}

func dependents(t *testing.T, r Reader, ours *v1alpha1.Line) {
	t.Helper()
	for _, c := range []struct {
		why    string
		object client.Object
		want   []string
	}{
		{"a Consortium is its own", consortium("trade", "a", "b"), []string{"trade"}},
		{"a Channel's is the one that it names", &v1alpha1.Channel{ObjectMeta: meta("x"), Spec: v1alpha1.ChannelSpec{Consortium: "nowhere"}}, []string{"nowhere"}},
		{"a Contract's is its Channel's", &v1alpha1.Contract{ObjectMeta: meta("x"), Spec: v1alpha1.ContractSpec{Channel: "catch"}}, []string{"fish"}},
		{"without its Channel nobody knows", &v1alpha1.Contract{ObjectMeta: meta("x"), Spec: v1alpha1.ContractSpec{Channel: "missing"}}, nil},
		{"a Member's are all that it takes part in", &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "b"}}, []string{"fish", "trade"}},
		{"a Line's are those of both its Members", ours, []string{"fish", "trade"}},
	} {
		var got []string
		for _, key := range r.Consortia(t.Context(), c.object) {
			if !slices.Contains(got, key.Name) {
				got = append(got, key.Name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.why, got, c.want)
		}
	}
	same, err := r.LinesSharingAddresses(t.Context(), ours)
	if got := names(same, func(l *v1alpha1.Line) string { return l.Name }); err != nil || !slices.Equal(got, []string{"a-b", "same-addresses"}) {
		t.Errorf("lines between the same addresses: %v, %v", got, err)
	}
	if keys := r.ContractsOnChannel(t.Context(), types.NamespacedName{Namespace: namespace, Name: "missing"}); len(keys) != 1 || keys[0].Name != "elsewhere" {
		t.Errorf("contracts on a channel that is missing: %v", keys)
	}
}
