//go:build integration

package watcher

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/internal/testcluster"
)

// testTimeout is for machines that are busy with other tests too.
const testTimeout = 3 * time.Minute

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open starts an API server, and returns a client that may do anything, and one of somebody who may do nothing.
func open(t *testing.T) (admin, outsider client.WithWatch) {
	t.Helper()
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	must(t, err)
	t.Cleanup(func() { _ = env.Stop() })
	admin, err = client.NewWithWatch(config, client.Options{})
	must(t, err)
	user, err := env.AddUser(envtest.User{Name: "outsider"}, nil)
	must(t, err)
	outsider, err = client.NewWithWatch(user.Config(), client.Options{})
	must(t, err)
	return admin, outsider
}

// until waits for signals of change until check has nothing to say: without a signal nobody would look.
func until(t *testing.T, c *Cache, what string, check func() error) {
	t.Helper()
	timeout := time.After(testTimeout)
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-c.Changed():
		case <-timeout:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func configMaps(namespace, name string) Source {
	return Source{Kind: corev1.SchemeGroupVersion.WithKind("ConfigMap"), Namespace: namespace, Name: name, Action: "read the ConfigMaps"}
}

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Data: map[string]string{"v": value}}
}

// holds says what is wrong if a cache does not hold an object with that value; none if it is empty.
func holds(t *testing.T, c *Cache, name, value string) func() error {
	return func() error {
		got := configMap(name, "")
		err := c.Get(t.Context(), client.ObjectKeyFromObject(got), got)
		if value == "" {
			if !apierrors.IsNotFound(err) {
				return fmt.Errorf("%s is still there: %w", name, err)
			}
			return nil
		}
		if err == nil && got.Data["v"] != value {
			err = fmt.Errorf("%s is %q", name, got.Data["v"])
		}
		return err
	}
}

func complete(c *Cache) func() error {
	return func() error {
		if !c.Complete() || len(c.Failures()) > 0 {
			return fmt.Errorf("complete %v, failures %+v", c.Complete(), c.Failures())
		}
		return nil
	}
}

// TestFollow: what is followed is at hand, as it is now, and nothing else is.
func TestFollow(t *testing.T) {
	admin, _ := open(t)
	must(t, admin.Create(t.Context(), configMap("first", "1")))
	c := New(admin)
	if !c.Complete() {
		t.Error("a cache that follows nothing lacks something")
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c.Follow(ctx, []Source{configMaps("default", "")})
	until(t, c, "what is there is read", complete(c))
	must(t, holds(t, c, "first", "1")())

	must(t, admin.Create(t.Context(), configMap("second", "1")))
	until(t, c, "what is new", holds(t, c, "second", "1"))
	must(t, admin.Update(t.Context(), configMap("first", "2")))
	until(t, c, "what has changed", holds(t, c, "first", "2"))
	must(t, admin.Delete(t.Context(), configMap("second", "")))
	until(t, c, "what is gone", holds(t, c, "second", ""))

	var list corev1.ConfigMapList
	must(t, c.List(t.Context(), &list, client.InNamespace("default")))
	var names []string
	for _, cm := range list.Items {
		names = append(names, cm.Name)
	}
	if !slices.Contains(names, "first") || !slices.IsSorted(names) {
		t.Errorf("listed: %v", names)
	}
	must(t, c.List(t.Context(), &list, client.InNamespace("elsewhere")))
	if len(list.Items) > 0 {
		t.Errorf("of another namespace there is %v", list.Items)
	}
	if err := c.List(t.Context(), &list, client.MatchingLabels{"a": "b"}); err == nil || !strings.Contains(err.Error(), "by namespace alone") {
		t.Errorf("labels are not heeded, and that is not told: %v", err)
	}

	// A copy is the reader's own.
	mine := configMap("first", "")
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(mine), mine))
	mine.Data["v"] = "spoiled"
	must(t, holds(t, c, "first", "2")())

	c.Follow(ctx, []Source{configMaps("default", "other")})
	if err := holds(t, c, "first", "")(); err != nil {
		t.Errorf("what is not followed any more: %v", err)
	}
	until(t, c, "one object that is not there yet", complete(c))
	must(t, admin.Create(t.Context(), configMap("other", "1")))
	until(t, c, "one object by its name", holds(t, c, "other", "1"))
	must(t, holds(t, c, "first", "")())
}

// TestWithoutRights: who may not look is told so, and sees once they may. The right to one object suffices for that one.
func TestWithoutRights(t *testing.T) {
	admin, outsider := open(t)
	must(t, admin.Create(t.Context(), configMap("first", "1")))
	c := New(outsider)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	one := configMaps("default", "first")
	c.Follow(ctx, []Source{one, configMaps("default", "")})
	until(t, c, "both are refused", func() error {
		failures := c.Failures()
		if len(failures) != 2 || !apierrors.IsForbidden(failures[0].Err) || !apierrors.IsForbidden(failures[1].Err) || failures[0].Synced || failures[1].Name != "first" {
			return fmt.Errorf("failures %+v", failures)
		}
		return nil
	})
	if c.Complete() {
		t.Error("it is complete without having read anything")
	}

	grant := func(name string, verbs ...string) {
		t.Helper()
		must(t, client.IgnoreNotFound(admin.Delete(t.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}})))
		must(t, admin.Create(t.Context(), &rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"first"}, Verbs: verbs}},
		}))
	}
	must(t, admin.Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "looker"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "looker"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "outsider"}},
	}))
	c.Follow(ctx, []Source{one})
	grant("looker", "list")
	until(t, c, "who may list but not watch would look at what stands still", func() error {
		failures := c.Failures()
		if len(failures) != 1 || !strings.Contains(failures[0].Err.Error(), "watch") || c.Complete() {
			return fmt.Errorf("failures %+v, complete %v", failures, c.Complete())
		}
		return nil
	})
	grant("looker", "list", "watch")
	until(t, c, "the right to one object is enough for it", complete(c))
	must(t, holds(t, c, "first", "1")())
	must(t, admin.Update(t.Context(), configMap("first", "2")))
	until(t, c, "it is watched", holds(t, c, "first", "2"))
}
