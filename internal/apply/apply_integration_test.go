//go:build integration

package apply

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

const owner = "test"

func cluster(t *testing.T) client.Client {
	t.Helper()
	env, _, c, err := testcluster.StartWithCRDs("../../charts/federation/crds", v1alpha1.AddToScheme, corev1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	return c
}

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Data: data}
}

// TestAgainstAnAPIServer has each way to write do what it says, on one API server, each on objects of its own.
func TestAgainstAnAPIServer(t *testing.T) {
	c := cluster(t)
	for _, test := range []struct {
		why string
		run func(*testing.T, client.Client)
	}{
		{"what is the same is not written again, and what others have added stays", appliedIfChanged},
		{"an object with one writer", createdOrReplaced},
		{"a remembered object is written again once it has drifted", remembered},
		{"a status, and nothing else", statusOnly},
	} {
		t.Run(test.why, func(t *testing.T) { test.run(t, c) })
	}
}

func get(t *testing.T, c client.Client, object client.Object) {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatal(err)
	}
}

func appliedIfChanged(t *testing.T, c client.Client) {
	apply := func(data map[string]string) string {
		t.Helper()
		if err := ApplyIfChanged(t.Context(), c, owner, configMap("compared", data)); err != nil {
			t.Fatal(err)
		}
		now := configMap("compared", nil)
		get(t, c, now)
		return now.ResourceVersion
	}
	first := apply(map[string]string{"a": "1"})
	if again := apply(map[string]string{"a": "1"}); again != first {
		t.Errorf("written again: %s, then %s", first, again)
	}
	if err := c.Patch(t.Context(), configMap("compared", nil), client.RawPatch("application/merge-patch+json", []byte(`{"data":{"b":"2"}}`))); err != nil {
		t.Fatal(err)
	}
	apply(map[string]string{"a": "3"})
	now := configMap("compared", nil)
	if get(t, c, now); now.Data["a"] != "3" || now.Data["b"] != "2" {
		t.Errorf("%v", now.Data)
	}
}

func createdOrReplaced(t *testing.T, c client.Client) {
	write := func(object client.Object) error { return CreateOrReplace(t.Context(), c, owner, object) }
	if err := write(configMap("replaced", map[string]string{"a": "1"})); err != nil {
		t.Fatal(err)
	}
	if err := write(configMap("replaced", nil)); !apierrors.IsAlreadyExists(err) {
		t.Errorf("created over one that was not known: %v", err)
	}
	known := configMap("replaced", nil)
	get(t, c, known)
	outdated := known.DeepCopy()
	known.Data = map[string]string{"b": "2"}
	if err := write(known); err != nil {
		t.Fatal(err)
	}
	if err := write(outdated); !apierrors.IsConflict(err) {
		t.Errorf("replaced what had changed: %v", err)
	}
	if get(t, c, known); len(known.Data) != 1 || known.Data["b"] != "2" || len(known.ManagedFields) != 0 {
		t.Errorf("%v, managed by %v", known.Data, known.ManagedFields)
	}
}

func remembered(t *testing.T, c client.Client) {
	a := New(c, owner, time.Now)
	apply := func() string {
		t.Helper()
		if err := a.Apply(t.Context(), configMap("remembered", map[string]string{"a": "1"})); err != nil {
			t.Fatal(err)
		}
		now := configMap("remembered", nil)
		get(t, c, now)
		a.Observe(now, false)
		return now.ResourceVersion
	}
	first := apply()
	if again := apply(); again != first {
		t.Errorf("written again: %s, then %s", first, again)
	}
	edited := configMap("remembered", nil)
	get(t, c, edited)
	edited.Data["a"] = "2"
	if err := c.Update(t.Context(), edited); err != nil {
		t.Fatal(err)
	}
	a.Observe(edited, false)
	apply()
	if get(t, c, edited); edited.Data["a"] != "1" {
		t.Errorf("an edit stays: %v", edited.Data)
	}
	if err := c.Delete(t.Context(), edited); err != nil {
		t.Fatal(err)
	}
	a.Observe(edited, true)
	apply() // fails where there is none
}

func statusOnly(t *testing.T, c client.Client) {
	member := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}, Spec: v1alpha1.MemberSpec{Organization: "First Ltd"}}
	if err := c.Create(t.Context(), member); err != nil {
		t.Fatal(err)
	}
	said := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}, Status: v1alpha1.MemberStatus{Root: "pem"}}
	if _, err := OwnStatus(t.Context(), c, owner, said); err != nil {
		t.Fatal(err)
	}
	if get(t, c, member); member.Status.Root != "pem" || member.Spec.Organization != "First Ltd" {
		t.Errorf("%+v", member)
	}
	outdated := member.ResourceVersion
	status := v1alpha1.MemberStatus{Root: "other"}
	if err := Status(t.Context(), c, "another", member, &status, ""); err != nil {
		t.Fatal(err)
	}
	if err := Status(t.Context(), c, "another", member, &v1alpha1.MemberStatus{Root: "third"}, outdated); !apierrors.IsConflict(err) {
		t.Errorf("an outdated status was written: %v", err)
	}
}
