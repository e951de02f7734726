package host

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
)

// runLease renews the Lease until ctx ends, and checks whether somebody else uses the credential.
func (l *HostSession) runLease(ctx context.Context, conn *connection, c *credential) {
	for failures := 0; ; {
		wait := l.options.LeaseInterval
		err := l.checkRegistration(ctx, conn.client, c)
		if err == nil {
			err = l.renewLease(ctx, conn.client)
		}
		if err == nil {
			failures = 0
			l.lastContact.Set(float64(l.options.Now().Unix()))
		} else {
			conn.checkUnauthorized(err)
			l.log.V(1).Info("the lease on the host was not renewed", "error", err.Error())
			wait = min(backoff(failures), wait)
			failures++
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// renewLease renews the Lease at its last version. If that has changed, it checks who the holder is.
func (l *HostSession) renewLease(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	w := l.credentialWatch
	w.mu.Lock()
	version := w.version
	w.mu.Unlock()
	err := l.applyLease(ctx, c, version)
	if version == "" || !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return err
	}
	lease := &coordinationv1.Lease{}
	if _, err := ignoreNotFound(c.Get(ctx, client.ObjectKey{Namespace: v1alpha1.MemberNamespace(l.options.Member), Name: v1alpha1.AgentLease}, lease)); err != nil {
		return err
	}
	w.foreignHolder(ptr.Deref(lease.Spec.HolderIdentity, ""), l.holder())
	l.updateAlarm()
	return l.applyLease(ctx, c, "")
}

// applyLease applies the Lease at that resource version; at any if it is empty.
func (l *HostSession) applyLease(ctx context.Context, c client.Client, version string) error {
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
		l.credentialWatch.mu.Lock()
		l.credentialWatch.version = u.GetResourceVersion()
		l.credentialWatch.mu.Unlock()
	}
	return err
}
