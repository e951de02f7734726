package main

import (
	"context"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// planners of the ledgers that the agent knows.
var planners = ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}

// dialGateway dials the own gateway, which routes by SNI.
func dialGateway(address string) func(context.Context, string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return func(ctx context.Context, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
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
