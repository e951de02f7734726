//go:build integration

package namespacecache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

// cluster starts an API server.
func cluster(t *testing.T) (client.Client, *rest.Config) {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: bin/testbed assets says to what")
	}
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	must(t, err)
	t.Cleanup(func() { must(t, env.Stop()) })
	config.QPS = -1
	scheme := runtime.NewScheme()
	must(t, clientgoscheme.AddToScheme(scheme))
	c, err := client.New(config, client.Options{Scheme: scheme})
	must(t, err)
	return c, config
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	if wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	}) != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

// kinds that the tests watch: labelled ConfigMaps, and Secrets without their values.
func kinds() []Kind {
	return []Kind{
		{Object: &corev1.ConfigMap{}, Labels: labels.SelectorFromSet(labels.Set{"ours": "true"})},
		{Object: &corev1.Secret{}, Keep: func(o client.Object) {
			if s, ok := o.(*corev1.Secret); ok {
				s.Data = nil
			}
		}},
	}
}

func labelled(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"ours": "true"}},
		Data:       map[string]string{"value": value},
	}
}

// countWatches counts the watches of one resource.
type countWatches struct {
	next     http.RoundTripper
	resource string
	count    *atomic.Int64
}

func (c countWatches) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, c.resource) && request.URL.Query().Get("watch") != "" {
		c.count.Add(1)
	}
	return c.next.RoundTrip(request)
}

// TestCache: a cache on a real API server has what is there and what comes later, also after its watches have ended.
func TestCache(t *testing.T) {
	c, config := cluster(t)
	must(t, c.Create(t.Context(), labelled("a", "1")))
	must(t, c.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "s"}, StringData: map[string]string{"k": "v"}}))
	var watches atomic.Int64
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return countWatches{next, "/configmaps", &watches} })
	transport, err := rest.HTTPClientFor(config)
	must(t, err)
	w, err := NewWatcher(config, transport, c.Scheme(), c.RESTMapper(), kinds())
	must(t, err)
	w.minWatch = time.Second // so that watches end while the test runs
	var mu sync.Mutex
	gone := map[string]bool{}
	synced := make(chan struct{})
	cache := w.Watch(t.Context(), "default", func(o client.Object, is bool) {
		mu.Lock()
		defer mu.Unlock()
		gone[o.GetName()] = is
	}, func() { close(synced) })
	<-synced

	var secret corev1.Secret
	must(t, cache.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "s"}, &secret))
	if secret.Data != nil || secret.ManagedFields != nil {
		t.Errorf("stored as it came: %+v", secret)
	}
	has := func(name, value string) func() error {
		return func() error {
			var got corev1.ConfigMap
			err := cache.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: name}, &got)
			if err == nil && got.Data["value"] != value {
				err = fmt.Errorf("value %q", got.Data["value"])
			}
			return err
		}
	}
	must(t, has("a", "1")())
	for i := range 4 { // each in another watch
		name := fmt.Sprintf("m%d", i)
		must(t, c.Create(t.Context(), labelled(name, "1")))
		eventually(t, "a new object", has(name, "1"))
		must(t, c.Update(t.Context(), labelled(name, "2")))
		eventually(t, "a change", has(name, "2"))
		must(t, c.Delete(t.Context(), labelled(name, "2")))
		eventually(t, "a deletion", func() error {
			mu.Lock()
			defer mu.Unlock()
			if err := has(name, "2")(); !apierrors.IsNotFound(err) || !gone[name] {
				return fmt.Errorf("it is there: %w", err)
			}
			return nil
		})
		before := watches.Load()
		eventually(t, "the watch has ended, and the next one begun", func() error {
			if watches.Load() == before {
				return errors.New("it goes on")
			}
			return nil
		})
	}
	var list corev1.ConfigMapList
	must(t, cache.List(t.Context(), &list, client.InNamespace("default"), client.MatchingLabels{"ours": "true"}))
	if len(list.Items) != 1 || list.Items[0].Name != "a" {
		t.Errorf("%d objects in the list: those without the label are not ours", len(list.Items))
	}
	list.Items[0].Data["value"] = "changed"
	must(t, has("a", "1")()) // a list is the caller's own
	for why, err := range map[string]error{
		"another namespace":   cache.Get(t.Context(), client.ObjectKey{Namespace: "kube-system", Name: "a"}, &corev1.ConfigMap{}),
		"all namespaces":      cache.List(t.Context(), &corev1.ConfigMapList{}),
		"a kind not watched":  cache.List(t.Context(), &corev1.PodList{}, client.InNamespace("default")),
		"a selector by field": cache.List(t.Context(), &corev1.ConfigMapList{}, client.InNamespace("default"), client.MatchingFields{"metadata.name": "a"}),
	} {
		if err == nil || apierrors.IsNotFound(err) {
			t.Errorf("%s: %v, as if there were nothing", why, err)
		}
	}
}

// TestUnknownVersion: a watch from a version that the API server does not know says so, and what was known of it stays.
func TestUnknownVersion(t *testing.T) {
	c, config := cluster(t)
	transport, err := rest.HTTPClientFor(config)
	must(t, err)
	w, err := NewWatcher(config, transport, c.Scheme(), c.RESTMapper(), kinds()[:1])
	must(t, err)
	s := &store{keep: func(client.Object) {}, onChange: func(client.Object, bool) {}, onSynced: func() {}, byName: map[string]client.Object{}}
	version, err := w.kinds[0].watch(t.Context(), "default", "unknown", time.Minute, s)
	if err == nil || !isUnknownVersion(err) || version != "unknown" {
		t.Errorf("a watch from an unknown version ended at %s with %v", version, err)
	}
}

// TestNotServed: a cache is complete without a kind that the API server does not serve, if it need not serve it.
func TestNotServed(t *testing.T) {
	c, config := cluster(t)
	transport, err := rest.HTTPClientFor(config)
	must(t, err)
	must(t, v1alpha1.AddToScheme(c.Scheme()))
	w, err := NewWatcher(config, transport, c.Scheme(), c.RESTMapper(), append(kinds(), Kind{Object: &v1alpha1.Statement{}, Resource: "statements"}))
	must(t, err)
	synced := make(chan struct{})
	cache := w.Watch(t.Context(), "default", func(client.Object, bool) {}, func() { close(synced) })
	select {
	case <-synced:
	case <-time.After(30 * time.Second):
		t.Fatal("not complete after 30 s")
	}
	var list v1alpha1.StatementList
	if err := cache.List(t.Context(), &list, client.InNamespace("default")); err != nil || len(list.Items) != 0 {
		t.Errorf("%d objects, %v", len(list.Items), err)
	}
}
