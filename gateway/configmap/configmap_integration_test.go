//go:build integration

package configmap

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/internal/testcluster"
)

const (
	namespace = "default"
	// testTimeout is for machines that are busy with other tests too.
	testTimeout = 3 * time.Minute
)

// start runs an API server and returns a client that may do anything, and one that may do what the chart lets a gateway
// do.
func start(t *testing.T) (admin, gateway kubernetes.Interface) {
	t.Helper()
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	must(t, err)
	t.Cleanup(func() { _ = env.Stop() })
	admin, err = kubernetes.NewForConfig(config)
	must(t, err)
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "gateway", Namespace: namespace},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"hanse-routes"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"hanse-lines"}, Verbs: []string{"get", "patch"}},
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
		},
	}
	_, err = admin.RbacV1().Roles(namespace).Create(t.Context(), role, metav1.CreateOptions{})
	must(t, err)
	_, err = admin.RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "gateway", Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "gateway"},
		Subjects:   []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: "gateway"}},
	}, metav1.CreateOptions{})
	must(t, err)
	user, err := env.AddUser(envtest.User{Name: "gateway"}, nil)
	must(t, err)
	gateway, err = kubernetes.NewForConfig(user.Config())
	must(t, err)
	// The API server's authorizer watches bindings as everybody does, and has to have seen these.
	must(t, wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, testTimeout, true, func(ctx context.Context) (bool, error) {
		review, err := gateway.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: namespace, Resource: "configmaps", Name: "hanse-lines", Verb: "patch",
			}},
		}, metav1.CreateOptions{})
		return err == nil && review.Status.Allowed, err
	}))
	return admin, gateway
}

func TestSource(t *testing.T) {
	admin, gateway := start(t)
	maps := admin.CoreV1().ConfigMaps(namespace)
	received := make(chan string, 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := &Source{Client: gateway, Namespace: namespace, Name: "hanse-routes", Key: "routes.json"}
		_ = s.Watch(ctx, func(text []byte) { received <- string(text) })
	}()
	t.Cleanup(func() { cancel(); <-done })
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-received:
			if got != want {
				t.Fatalf("heard %q, want %q", got, want)
			}
		case <-time.After(testTimeout):
			t.Fatalf("%q was not heard", want)
		}
	}
	object := func(text string) *corev1.ConfigMap {
		return &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "hanse-routes", Namespace: namespace}, Data: map[string]string{"routes.json": text},
		}
	}
	_, err := maps.Create(ctx, object("one"), metav1.CreateOptions{})
	must(t, err)
	expect("one")
	_, err = maps.Update(ctx, object("two"), metav1.UpdateOptions{})
	must(t, err)
	expect("two")

	// Neither a touch without a change, nor a removal, nor its coming back says anything; what is new does.
	touched := object("two")
	touched.Labels = map[string]string{"touched": "yes"}
	_, err = maps.Update(ctx, touched, metav1.UpdateOptions{})
	must(t, err)
	must(t, maps.Delete(ctx, "hanse-routes", metav1.DeleteOptions{}))
	_, err = maps.Create(ctx, object("two"), metav1.CreateOptions{})
	must(t, err)
	_, err = maps.Update(ctx, object("three"), metav1.UpdateOptions{})
	must(t, err)
	expect("three")
}

// TestSink has two gateways write to one ConfigMap, which neither finds at first.
func TestSink(t *testing.T) {
	admin, gateway := start(t)
	maps := admin.CoreV1().ConfigMaps(namespace)
	sink := func(key string) *Sink {
		return &Sink{Client: gateway, Namespace: namespace, Name: "hanse-lines", Key: key, FieldManager: "hanse-gateway"}
	}
	a, b := sink("gateway-a.json"), sink("gateway-b.json")
	expect := func(want map[string]string) {
		t.Helper()
		object, err := maps.Get(t.Context(), "hanse-lines", metav1.GetOptions{})
		must(t, err)
		if !reflect.DeepEqual(object.Data, want) {
			t.Errorf("the ConfigMap holds %q, want %q", object.Data, want)
		}
		if object.Labels["app.kubernetes.io/managed-by"] != "hanse" {
			t.Errorf("without its label the agent does not see it: %v", object.Labels)
		}
	}
	must(t, a.Withdraw(t.Context())) // nothing was written yet
	var both sync.WaitGroup
	for _, s := range []*Sink{a, b} {
		both.Go(func() {
			if err := s.Report(t.Context(), []byte("first")); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	expect(map[string]string{"gateway-a.json": "first", "gateway-b.json": "first"})
	must(t, a.Report(t.Context(), []byte("second")))
	expect(map[string]string{"gateway-a.json": "second", "gateway-b.json": "first"})
	must(t, a.Withdraw(t.Context()))
	must(t, a.Withdraw(t.Context())) // it has withdrawn already
	expect(map[string]string{"gateway-b.json": "first"})

	// Somebody deletes it: the next report brings it back.
	must(t, maps.Delete(t.Context(), "hanse-lines", metav1.DeleteOptions{}))
	must(t, b.Report(t.Context(), []byte("third")))
	expect(map[string]string{"gateway-b.json": "third"})

	// What the role does not allow is told with what it must allow.
	elsewhere := &Sink{Client: gateway, Namespace: namespace, Name: "hanse-pins", Key: "x", FieldManager: "hanse-gateway"}
	if err := elsewhere.Report(t.Context(), []byte("x")); err == nil || !strings.Contains(err.Error(), "role must allow") {
		t.Errorf("a gateway wrote to the pins: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
