package host

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/apply"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// runLease renews the Lease until ctx ends.
func (l *Link) runLease(ctx context.Context, conn *connection) {
	for failures := 0; ; {
		wait := l.options.LeaseInterval
		err := l.renewLease(ctx, conn.client)
		if err == nil {
			failures = 0
		} else {
			conn.notice(err)
			l.log.V(1).Info("the lease on the host was not renewed", "error", err.Error())
			wait = min(delay(failures), wait)
			failures++
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

func (l *Link) renewLease(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: v1alpha1.MemberNamespace(l.options.Member),
			Name:      v1alpha1.AgentLease,
			Labels:    map[string]string{v1alpha1.LabelMember: l.options.Member},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity:       ptr.To(l.options.Instance),
			LeaseDurationSeconds: ptr.To(int32(l.options.LeaseDuration / time.Second)),
			RenewTime:            &metav1.MicroTime{Time: l.options.Now()},
		},
	}
	u, err := apply.Unstructured(lease, c.Scheme())
	if err != nil {
		return err
	}
	return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(ReportOwner), client.ForceOwnership)
}
