package main

import (
	"context"
	"net"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/discovery"
	"github.com/hanse-io/hanse/member-agent/line"
	"github.com/hanse-io/hanse/member-agent/networks"
	"github.com/hanse-io/hanse/member-agent/reconcile"
)

// discoveryAdapter implements reconcile.Discovery by package discovery.
type discoveryAdapter struct{ *discovery.Discovery }

func (g *discoveryAdapter) SetGroups(groups map[string]map[string]string) error {
	var wanted []discovery.Group
	for consortium, roots := range groups {
		group := discovery.Group{Consortium: consortium}
		for member, root := range roots {
			group.Members = append(group.Members, discovery.Peer{Name: member, RootPEM: root})
		}
		wanted = append(wanted, group)
	}
	return g.Discovery.SetGroups(wanted)
}

func (g *discoveryAdapter) Records(consortium string) map[string]v1alpha1.Record {
	return g.View(consortium).Records()
}

func (g *discoveryAdapter) Own(consortium, member string) *v1alpha1.SignedRecord {
	m, _ := g.View(consortium).Member(member)
	return m.Signed
}

// dialGateway dials the own gateway, which routes by SNI.
func dialGateway(address string) func(context.Context, string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return func(ctx context.Context, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
	}
}

// routes computes the gateway's routes.
func routes(o options, own client.Reader) reconcile.Routes {
	finder := &networks.Finder{Client: own, APIServer: os.Getenv("KUBERNETES_SERVICE_HOST"), Now: time.Now}
	return func(ctx context.Context, plans []v1alpha1.MemberPlan, records map[string]map[string]v1alpha1.Record, roots map[string]string) (string, error) {
		found, err := finder.Find(ctx)
		if err != nil {
			return "", err
		}
		text, err := line.Compute(plans, records, o.member, line.Cluster{
			Domain: o.clusterDomain, Namespace: o.namespace, Roots: roots, Own: found.CIDRs, Planners: planners, Problems: found.Problems,
		}).JSON()
		return string(text), err
	}
}

// labelLeading is the label of the leader's pod. The agent's Service selects it, because only the leader accepts gossip.
const labelLeading = v1alpha1.GroupName + "/leading"

// leaderLabel labels the agent's own pod by whether it is the leader.
type leaderLabel struct {
	own            client.Client
	namespace, pod string
}

// clear removes the label, which a container that was the leader before a restart has left on its pod.
func (l leaderLabel) clear(ctx context.Context) error { return l.patch(ctx, "false") }

// set sets the label until ctx ends.
func (l leaderLabel) set(ctx context.Context) error {
	if err := l.patch(ctx, "true"); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (l leaderLabel) patch(ctx context.Context, value string) error {
	if l.pod == "" {
		return nil
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: l.pod}}
	body := []byte(`{"metadata":{"labels":{"` + labelLeading + `":"` + value + `"}}}`)
	return l.own.Patch(ctx, pod, client.RawPatch("application/merge-patch+json", body))
}
