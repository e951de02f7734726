//go:build integration

package genesis

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	shared "github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

var a, b = strings.Repeat("a", 64), strings.Repeat("b", 64)

// TestStore has everything on one API server, each test in a namespace of its own.
func TestStore(t *testing.T) {
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	user, err := env.AddUser(envtest.User{Name: "outsider"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	outsider, err := client.New(user.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct {
		why string
		run func(*testing.T, Store)
	}{
		{"a block is kept once, and no other one takes its place", kept},
		{"blocks of several channels", several},
		{"agreement is noted, and of what is kept only", agreed},
		{"what is listed are pins, whatever else is there", listed},
		{"a host cannot fill the cluster with channels", limitedByCount},
		{"nor with large blocks", limitedByBytes},
		{"everything is forgotten, and nothing else", forgotten},
		{"without rights", func(t *testing.T, s Store) { s.Client = outsider; withoutRights(t, s) }},
	} {
		t.Run(test.why, func(t *testing.T) {
			namespace := "store-" + strconv.Itoa(i)
			if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
				t.Fatal(err)
			}
			test.run(t, Store{Client: c, Namespace: namespace, Consortium: "trade", Owner: "test"})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails wants an error that has all the words.
func fails(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("want %q in the error: %v", word, err)
		}
	}
}

// holds compares the pins.
func holds(t *testing.T, s Store, want map[string]ledger.Pin) {
	t.Helper()
	pins, err := s.All(t.Context())
	must(t, err)
	if !maps.Equal(pins, want) {
		t.Errorf("pins %v, want %v", pins, want)
	}
}

func kept(t *testing.T, s Store) {
	holds(t, s, map[string]ledger.Pin{})
	must(t, s.Keep(t.Context(), "deals", a, []byte("block a")))
	must(t, s.Keep(t.Context(), "deals", a, []byte("block a"))) // after a restart, say
	fails(t, s.Keep(t.Context(), "deals", b, []byte("block b")), "first-block.deals", s.Namespace, "holds another one already", a[:12])
	holds(t, s, map[string]ledger.Pin{"deals": {Hash: a}})
	block, err := s.Block(t.Context(), "deals")
	if must(t, err); string(block) != "block a" {
		t.Errorf("the block is %q", block)
	}
	_, err = s.Block(t.Context(), "other")
	fails(t, err, s.Where("other"))
	if !apierrors.IsNotFound(err) {
		t.Errorf("the reason is lost: %v", err)
	}
	var cm corev1.ConfigMap
	must(t, s.Client.Get(t.Context(), client.ObjectKey{Namespace: s.Namespace, Name: "first-block.deals"}, &cm))
	if cm.Labels[v1alpha1.LabelConsortium] != "trade" || len(cm.ManagedFields) == 0 || cm.ManagedFields[0].Manager != "test" {
		t.Errorf("nobody can tell whose it is: %+v", cm.ObjectMeta)
	}
	cm.BinaryData[shared.FirstBlockKey] = []byte("another")
	if err := s.Client.Update(t.Context(), &cm); !apierrors.IsInvalid(err) {
		t.Errorf("a kept block was changed: %v", err)
	}
}

func several(t *testing.T, s Store) {
	must(t, s.Keep(t.Context(), "deals", a, []byte("block a")))
	must(t, s.Keep(t.Context(), "freight", b, []byte("block b")))
	holds(t, s, map[string]ledger.Pin{"deals": {Hash: a}, "freight": {Hash: b}})
	block, err := s.Block(t.Context(), "freight")
	if must(t, err); string(block) != "block b" {
		t.Errorf("the block is %q", block)
	}
}

func agreed(t *testing.T, s Store) {
	must(t, s.Keep(t.Context(), "deals", a, []byte("block a")))
	must(t, s.Agree(t.Context(), "deals"))
	must(t, s.Agree(t.Context(), "deals"))
	holds(t, s, map[string]ledger.Pin{"deals": {Hash: a, Agreed: true}})
	if err := s.Agree(t.Context(), "other"); !apierrors.IsNotFound(err) {
		t.Errorf("agreed on a block that there is not: %v", err)
	}
	must(t, s.Keep(t.Context(), "deals", a, []byte("block a")))
	holds(t, s, map[string]ledger.Pin{"deals": {Hash: a, Agreed: true}})
}

// create makes a ConfigMap with the label and the annotations of a pin.
func create(t *testing.T, s Store, name, channel string, annotations map[string]string) {
	t.Helper()
	must(t, s.Client.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.Namespace, Name: name, Labels: map[string]string{LabelChannel: channel}, Annotations: annotations,
	}}))
}

func listed(t *testing.T, s Store) {
	must(t, s.Keep(t.Context(), "deals", a, []byte("block a")))
	must(t, s.Client.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: "first-block.unlabelled"}}))
	create(t, s, "somebody.elses", "deals", map[string]string{annotationHash: b})
	create(t, s, "first-block.freight", "deals", map[string]string{annotationHash: b})
	create(t, s, "first-block.half", "half", map[string]string{annotationAgreed: "yes"})
	holds(t, s, map[string]ledger.Pin{"deals": {Hash: a}, "half": {}})
}

func limitedByCount(t *testing.T, s Store) {
	for i := range maxBlocks {
		channel := fmt.Sprintf("c%d", i)
		create(t, s, shared.FirstBlockName(channel), channel, map[string]string{annotationHash: a, annotationBytes: "1"})
	}
	fails(t, s.Keep(t.Context(), "more", a, []byte("block")), fmt.Sprintf("holds %d first blocks already", maxBlocks), "kubectl -n "+s.Namespace+" get configmaps -l "+LabelChannel)
	must(t, s.Client.Delete(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: shared.FirstBlockName("c0")}}))
	must(t, s.Keep(t.Context(), "more", a, []byte("block"))) // once what it says was done
}

func limitedByBytes(t *testing.T, s Store) {
	create(t, s, shared.FirstBlockName("large"), "large", map[string]string{annotationHash: a, annotationBytes: strconv.Itoa(maxBytes - 10)})
	create(t, s, shared.FirstBlockName("odd"), "odd", map[string]string{annotationHash: a, annotationBytes: "-1000"})
	create(t, s, shared.FirstBlockName("none"), "none", map[string]string{annotationHash: a, annotationBytes: "many"})
	fails(t, s.Keep(t.Context(), "more", a, make([]byte, 11)), fmt.Sprintf("of %d MiB together", maxBytes>>20))
	must(t, s.Keep(t.Context(), "more", a, make([]byte, 10)))
}

func forgotten(t *testing.T, s Store) {
	must(t, s.Forget(t.Context())) // there is none
	must(t, s.Keep(t.Context(), "deals", a, []byte("block a")))
	must(t, s.Keep(t.Context(), "freight", b, []byte("block b")))
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: "other"}}
	must(t, s.Client.Create(t.Context(), other))
	must(t, s.Forget(t.Context()))
	holds(t, s, map[string]ledger.Pin{})
	must(t, s.Client.Get(t.Context(), client.ObjectKeyFromObject(other), other))
	must(t, s.Keep(t.Context(), "deals", b, []byte("block b"))) // the consortium begins anew
}

func withoutRights(t *testing.T, s Store) {
	ctx := t.Context()
	must(t, s.Forget(ctx)) // in a namespace that the agent has no rights in any more, it has nothing
	for what, do := range map[string]func(context.Context) error{
		"keep": func(ctx context.Context) error { return s.Keep(ctx, "deals", a, []byte("block")) },
		"read": func(ctx context.Context) error { _, err := s.Block(ctx, "deals"); return err },
		"list": func(ctx context.Context) error { _, err := s.All(ctx); return err },
	} {
		err := do(ctx)
		fails(t, err, s.Namespace)
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: the reason is lost: %v", what, err)
		}
	}
}
