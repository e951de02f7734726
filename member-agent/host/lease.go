package host

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/apply"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// runLease renews the Lease until ctx ends, and looks whether somebody else uses the credential.
func (l *Link) runLease(ctx context.Context, conn *connection, c *credential) {
	for failures := 0; ; {
		wait := l.options.LeaseInterval
		err := l.ask(ctx, conn.client, c)
		if err == nil {
			err = l.renewLease(ctx, conn.client)
		}
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

// renewLease renews the Lease as this agent has left it. If somebody has written it since, it looks who that was.
func (l *Link) renewLease(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	w := l.watcher
	w.mu.Lock()
	version := w.version
	w.mu.Unlock()
	err := l.applyLease(ctx, c, version)
	if version == "" || !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return err
	}
	lease := &coordinationv1.Lease{}
	if _, err := found(c.Get(ctx, client.ObjectKey{Namespace: v1alpha1.MemberNamespace(l.options.Member), Name: v1alpha1.AgentLease}, lease)); err != nil {
		return err
	}
	w.foreignHolder(ptr.Deref(lease.Spec.HolderIdentity, ""), l.holder())
	l.raise()
	return l.applyLease(ctx, c, "")
}

// applyLease writes the Lease, if it is at version; whatever it is at if that is empty.
func (l *Link) applyLease(ctx context.Context, c client.Client, version string) error {
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: v1alpha1.MemberNamespace(l.options.Member),
			Name:      v1alpha1.AgentLease,
			Labels:    map[string]string{v1alpha1.LabelMember: l.options.Member},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity:       ptr.To(l.holder()),
			LeaseDurationSeconds: ptr.To(int32(l.options.LeaseDuration / time.Second)),
			RenewTime:            &metav1.MicroTime{Time: l.options.Now()},
		},
	}
	u, err := apply.Unstructured(lease, c.Scheme())
	if err != nil {
		return err
	}
	if version != "" {
		u.SetResourceVersion(version)
	}
	err = c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(ReportOwner), client.ForceOwnership)
	if err == nil {
		l.watcher.mu.Lock()
		l.watcher.version = u.GetResourceVersion()
		l.watcher.mu.Unlock()
	}
	return err
}
