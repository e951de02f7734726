package networks

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// answers is an API server of two lists. cmd/member-agent's integration tests ask a real one.
type answers struct {
	client.Reader
	services []string
	nodes    []corev1.Node
	err      map[string]error // by kind
	asked    int
}

func (a *answers) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	a.asked++
	switch l := list.(type) {
	case *networkingv1.ServiceCIDRList:
		l.Items = []networkingv1.ServiceCIDR{{Spec: networkingv1.ServiceCIDRSpec{CIDRs: a.services}}}
		return a.err["services"]
	case *corev1.NodeList: // a page at a time
		var o client.ListOptions
		o.ApplyOptions(options)
		at := len(o.Continue)
		if at < len(a.nodes) {
			l.Items = a.nodes[at : at+1]
		}
		if at+1 < len(a.nodes) {
			l.Continue = strings.Repeat("x", at+1)
		}
		return a.err["nodes"]
	}
	return errors.New("unexpected list")
}

func node(address string, pods ...string) corev1.Node {
	return corev1.Node{Spec: corev1.NodeSpec{PodCIDRs: pods}, Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
		{Type: corev1.NodeHostName, Address: "worker"}, {Type: corev1.NodeInternalIP, Address: address},
	}}}
}

func TestFind(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "", errors.New("no right"))
	for _, c := range []struct {
		why      string
		answers  answers
		want     []string
		problems int
		failed   bool
	}{
		{why: "everything", answers: answers{services: []string{"10.43.0.0/16", "fd43::/112"}, nodes: []corev1.Node{node("192.168.0.10", "10.42.0.0/24"), node("fd00::11", "10.42.1.0/24")}},
			want: []string{"10.42.0.0/24", "10.42.1.0/24", "10.43.0.0/16", "10.43.0.1/32", "192.168.0.10/32", "fd00::11/128", "fd43::/112"}},
		{why: "a network plugin that keeps the pods' networks to itself", answers: answers{services: []string{"10.43.0.0/16"}, nodes: []corev1.Node{node("192.168.0.10")}},
			want: []string{"10.43.0.0/16", "10.43.0.1/32", "192.168.0.10/32"}, problems: 1},
		{why: "no right to either", answers: answers{err: map[string]error{"nodes": forbidden, "services": forbidden}}, want: []string{"10.43.0.1/32"}, problems: 2},
		{why: "the API server is away", answers: answers{err: map[string]error{"nodes": errors.New("connection refused")}}, failed: true},
	} {
		t.Run(c.why, func(t *testing.T) {
			f := &Finder{Client: &c.answers, APIServer: "10.43.0.1", Now: time.Now}
			own, err := f.Find(t.Context())
			if (err != nil) != c.failed || len(own.Problems) != c.problems {
				t.Errorf("%v, problems %q", err, own.Problems)
			}
			if diff := cmp.Diff(c.want, own.CIDRs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindRemembers(t *testing.T) {
	now := time.Unix(1000, 0)
	a := &answers{nodes: []corev1.Node{node("192.168.0.10")}, err: map[string]error{}}
	f := &Finder{Client: a, Now: func() time.Time { return now }}
	first, err := f.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asked := a.asked
	if _, err := f.Find(t.Context()); err != nil || a.asked != asked {
		t.Errorf("asked again at once: %d times, %v", a.asked-asked, err)
	}
	a.err["services"] = errors.New("connection refused")
	now = now.Add(cacheTTL)
	later, err := f.Find(t.Context())
	if err != nil || a.asked == asked {
		t.Errorf("asked %d times after a while, %v", a.asked-asked, err)
	}
	if diff := cmp.Diff(first, later); diff != "" {
		t.Errorf("what was known is forgotten while the API server is away: %s", diff)
	}
}
