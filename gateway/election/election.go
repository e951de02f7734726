// Package election lets one of several gateways of an organization report. It must know nothing of lines or routes.
package election

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Lease is the name of the Lease that the gateways stand for.
const Lease = "hanse-gateway"

// New lets one of several gateways report. All of them carry traffic and probe the lines all the while. run
// stands for election until its context ends, and leads says whether this gateway has been elected.
func New(client kubernetes.Interface, namespace, pod string, log *slog.Logger) (leads func() bool, run func(context.Context), err error) {
	if pod == "" {
		return nil, nil, errors.New("--leader-election needs the pod's name in POD_NAME")
	}
	var leading atomic.Bool
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Namespace: namespace, Name: Lease}, Client: client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: pod},
		},
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second, ReleaseOnCancel: true,
		Name: Lease,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				log.Info("this gateway reports the lines' health")
				leading.Store(true)
			},
			OnStoppedLeading: func() { leading.Store(false) },
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return leading.Load, func(ctx context.Context) {
		for ctx.Err() == nil { // retry after a lost election
			elector.Run(ctx)
		}
	}, nil
}
