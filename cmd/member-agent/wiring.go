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
	"github.com/hanse-io/hanse/member-agent/lifecycle"
	"github.com/hanse-io/hanse/member-agent/line"
	"github.com/hanse-io/hanse/member-agent/networks"
)

// gossip shows discovery to the lifecycle in the lifecycle's own terms.
type gossip struct{ *discovery.Discovery }

func (g *gossip) SetRings(rings map[string]map[string]string) error {
	var wanted []discovery.Group
	for consortium, roots := range rings {
		ring := discovery.Group{Consortium: consortium}
		for member, root := range roots {
			ring.Members = append(ring.Members, discovery.Peer{Name: member, RootPEM: root})
		}
		wanted = append(wanted, ring)
	}
	return g.Discovery.SetGroups(wanted)
}

func (g *gossip) Records(consortium string) map[string]v1alpha1.Record {
	return g.View(consortium).Records()
}

func (g *gossip) Own(consortium, member string) *v1alpha1.SignedRecord {
	m, _ := g.View(consortium).Member(member)
	return m.Signed
}

// dialGateway reaches the lines through the own gateway, which goes by the TLS server name.
func dialGateway(address string) func(context.Context, string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return func(ctx context.Context, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
	}
}

// routes computes the gateway's routes.
func routes(o options, own client.Reader) lifecycle.Routes {
	finder := &networks.Finder{Client: own, APIServer: os.Getenv("KUBERNETES_SERVICE_HOST"), Now: time.Now}
	return func(ctx context.Context, plans []v1alpha1.MemberPlan, records map[string]map[string]v1alpha1.Record, roots map[string]string) (string, error) {
		found, err := finder.Find(ctx)
		if err != nil {
			return "", err
		}
		text, err := line.Compute(plans, records, o.member, line.Cluster{
			Domain: o.clusterDomain, Namespace: o.namespace, Roots: roots, Own: found.CIDRs, Problems: found.Problems,
		}).JSON()
		return string(text), err
	}
}

// labelLeading is on the pod that leads. The agent's Service selects it, because only the leader takes gossip.
const labelLeading = v1alpha1.GroupName + "/leading"

// leader labels the agent's own pod by whether it leads.
type leader struct {
	own            client.Client
	namespace, pod string
}

// follow takes the label off, which a container that led before a restart has left on its pod.
func (l leader) follow(ctx context.Context) error { return l.label(ctx, "false") }

// lead puts the label on.
func (l leader) lead(ctx context.Context) error {
	if err := l.label(ctx, "true"); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (l leader) label(ctx context.Context, value string) error {
	if l.pod == "" {
		return nil
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: l.pod}}
	patch := []byte(`{"metadata":{"labels":{"` + labelLeading + `":"` + value + `"}}}`)
	return l.own.Patch(ctx, pod, client.RawPatch("application/merge-patch+json", patch))
}
