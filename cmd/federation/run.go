package main

import (
	"context"
	"fmt"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/consortium"
	"github.com/hanse-io/hanse/federation/line"
	"github.com/hanse-io/hanse/federation/membership"
	federationmetrics "github.com/hanse-io/hanse/federation/metrics"
	"github.com/hanse-io/hanse/federation/snapshot"
	"github.com/hanse-io/hanse/internal/buildinfo"
	"github.com/hanse-io/hanse/internal/conditions"
	"github.com/hanse-io/hanse/internal/readiness"
	"github.com/hanse-io/hanse/internal/undecodable"
	"github.com/hanse-io/hanse/internal/version"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// run runs the controllers until the context ends.
func run(ctx context.Context, config *rest.Config, o options) error {
	mgr, err := newManager(ctx, config, o)
	if err != nil {
		return err
	}
	mgr.GetLogger().Info("starting", "version", version.Current)
	return mgr.Start(ctx)
}

// newManager is a manager with all controllers of the host.
func newManager(ctx context.Context, config *rest.Config, o options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config = rest.CopyConfig(config)
	// No client-side rate limit: the API server's priority and fairness limits requests, and another limit delays plans.
	config.QPS = -1
	watches := &readiness.Watches{Now: time.Now}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cacheOptions(watches),
		Metrics:                       server.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:        o.healthAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElection,
		LeaderElectionID:              "federation.hanse.io",
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 ptr.To(leaseDuration),
		RenewDeadline:                 ptr.To(renewDeadline),
		RetryPeriod:                   ptr.To(retryPeriod),
		GracefulShutdownTimeout:       ptr.To(shutdownTime),
	})
	if err != nil {
		return nil, err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	if err := readiness.Add(ctx, mgr, watches, watched()); err != nil {
		return nil, err
	}
	if err := undecodable.Register(metrics.Registry, mgr.GetCache(), counted()); err != nil {
		return nil, err
	}
	if err := registerMetrics(mgr); err != nil {
		return nil, err
	}
	if err := buildinfo.Register(metrics.Registry, "federation"); err != nil {
		return nil, err
	}
	if err := snapshot.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return nil, fmt.Errorf("index the cache: %w", err)
	}
	return mgr, addControllers(mgr, clock.RealClock{}, o)
}

// registerMetrics adds the metrics of what the cache holds.
func registerMetrics(mgr ctrl.Manager) error {
	if err := conditions.Register(metrics.Registry, mgr.GetCache(), federationmetrics.Kinds()); err != nil {
		return err
	}
	collector := &federationmetrics.Collector{Reader: mgr.GetCache(), Planners: planners, Clock: clock.RealClock{}}
	return collector.Register(metrics.Registry)
}

// planners of the ledgers that the controller knows.
var planners = ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}

// watched are the objects whose informers must be synced for /readyz, by the names that it reports.
func watched() map[string]client.Object {
	return map[string]client.Object{
		"Members": &v1alpha1.Member{}, "Lines": &v1alpha1.Line{}, "Consortia": &v1alpha1.Consortium{},
		"Channels": &v1alpha1.Channel{}, "Contracts": &v1alpha1.Contract{}, "MemberPlans": &v1alpha1.MemberPlan{},
		"ConsortiumDefinitions": &v1alpha1.ConsortiumDefinition{},
		"Leases":                &coordinationv1.Lease{}, "CertificateSigningRequests": &certificatesv1.CertificateSigningRequest{},
	}
}

// counted are the kinds in the metric of undecodable objects.
func counted() undecodable.Kinds {
	return undecodable.Kinds{
		"Member":     func() client.ObjectList { return &v1alpha1.MemberList{} },
		"Line":       func() client.ObjectList { return &v1alpha1.LineList{} },
		"Consortium": func() client.ObjectList { return &v1alpha1.ConsortiumList{} },
		"Channel":    func() client.ObjectList { return &v1alpha1.ChannelList{} },
		"Contract":   func() client.ObjectList { return &v1alpha1.ContractList{} },
		"MemberPlan": func() client.ObjectList { return &v1alpha1.MemberPlanList{} },
	}
}

// cacheOptions limits the cache to the objects that the controllers use.
func cacheOptions(watches *readiness.Watches) cache.Options {
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})}
	return cache.Options{
		DefaultTransform:         cache.TransformStripManagedFields(),
		DefaultWatchErrorHandler: watches.Handler,
		// Watches are sufficient; the resync is a safeguard against missed events.
		SyncPeriod: ptr.To(10 * time.Hour),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.MemberPlan{}:       {Transform: snapshot.SharePlan},
			&corev1.Namespace{}:          ours,
			&corev1.ServiceAccount{}:     ours,
			&rbacv1.RoleBinding{}:        ours,
			&rbacv1.ClusterRole{}:        ours,
			&rbacv1.ClusterRoleBinding{}: ours,
			&coordinationv1.Lease{}:      {Field: fields.OneTermEqualSelector("metadata.name", v1alpha1.AgentLease)},
			&certificatesv1.CertificateSigningRequest{}: {
				Field: fields.OneTermEqualSelector("spec.signerName", certificatesv1.KubeAPIServerClientSignerName),
			},
		},
	}
}

// addControllers adds the controllers to a manager.
func addControllers(mgr ctrl.Manager, now clock.PassiveClock, o options) error {
	c, live := mgr.GetClient(), mgr.GetAPIReader()
	images, err := o.templateImages()
	if err != nil {
		return err
	}
	reader := snapshot.Reader{
		Cache: c, Live: live, TemplateImages: images, Planners: planners,
	}
	recorder := mgr.GetEventRecorder("federation")
	unwritten := &consortium.PlanWriteErrors{}
	// Controllers that only write statuses have one worker each, so that plans, which agents wait for, are not delayed.
	many, few := controller.Options{MaxConcurrentReconciles: o.workers}, controller.Options{MaxConcurrentReconciles: 1}
	for _, entry := range []struct {
		controller interface {
			SetupWithManager(mgr ctrl.Manager, options controller.Options) error
		}
		options controller.Options
	}{
		{&consortium.Reconciler{Client: c, Live: live, Snapshot: reader, WriteErrors: unwritten}, many},
		{&membership.Registrar{Client: c, Recorder: recorder, Clock: now, Version: version.Current}, many},
		{&membership.Approver{Client: c, Live: live, Recorder: recorder, Clock: now}, many},
		{&membership.Liveness{Client: c, Recorder: recorder, Clock: now}, many},
		{&consortium.Reporter{Client: c, Snapshot: reader, Recorder: recorder, Clock: now, WriteErrors: unwritten}, few},
		{&consortium.Orphans{Client: c, Snapshot: reader, Recorder: recorder, Clock: now}, few},
		{&line.Reconciler{Client: c, Snapshot: reader, Recorder: recorder, Clock: now}, few},
	} {
		if err := entry.controller.SetupWithManager(mgr, entry.options); err != nil {
			return fmt.Errorf("set up %T: %w", entry.controller, err)
		}
	}
	return nil
}
