package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	k8sdiscovery "k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
	"github.com/hanse-io/hanse/internal/buildinfo"
	"github.com/hanse-io/hanse/internal/readiness"
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/internal/undecodable"
	"github.com/hanse-io/hanse/internal/version"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/member-agent/discovery"
	"github.com/hanse-io/hanse/member-agent/genesis"
	"github.com/hanse-io/hanse/member-agent/host"
	"github.com/hanse-io/hanse/member-agent/identity"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/networks"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/member-agent/policy"
	"github.com/hanse-io/hanse/member-agent/reconcile"
	"github.com/hanse-io/hanse/member-agent/statements"
)

// run runs the agent until ctx ends.
func run(ctx context.Context, config *rest.Config, o options) error {
	// The own API server has priority and fairness; a client-side limit would only delay a burst of plans.
	config = rest.CopyConfig(config)
	config.QPS, config.UserAgent = -1, "hanse-member-agent"
	// Every compressed watch uses 40 KiB here, and more in the API server. There are eight for each consortium.
	config.DisableCompression = true
	scheme, err := scheme()
	if err != nil {
		return err
	}
	watches := &readiness.Watches{Now: time.Now}
	mgr, err := newManager(config, scheme, watches, o)
	if err != nil {
		return err
	}
	if err := readiness.Add(ctx, mgr, watches, map[string]client.Object{
		"MemberPlans": &v1alpha1.MemberPlan{}, "Secrets": &corev1.Secret{}, "ConfigMaps": &corev1.ConfigMap{},
	}); err != nil {
		return err
	}
	if err := undecodable.Register(o.registry, mgr.GetCache(), undecodable.Kinds{
		"MemberPlan": func() client.ObjectList { return &v1alpha1.MemberPlanList{} },
	}); err != nil {
		return err
	}
	if err := buildinfo.Register(o.registry, "member-agent"); err != nil {
		return err
	}
	own, err := client.New(config, client.Options{Scheme: scheme, Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return fmt.Errorf("make a client for the own cluster: %w", err)
	}
	if err := host.EnsureMember(ctx, own, o.namespace, o.member); err != nil {
		return err
	}
	store := &statements.Store{
		Client: own, Namespace: o.namespace, Member: o.member, Owner: reconcile.Owner,
		Pins: reconcile.Pins(mgr.GetCache(), o.namespace), Now: time.Now,
	}
	session, err := newHostSession(mgr, own, config, store, o)
	if err != nil {
		return err
	}
	gossip, reconciler, err := newReconciler(ctx, mgr, own, session, store, o)
	if err != nil {
		return err
	}
	if err := reconciler.Setup(mgr); err != nil {
		return err
	}
	label := leaderLabel{own: own, namespace: o.namespace, pod: o.pod}
	if err := label.clear(ctx); err != nil {
		return err
	}
	for _, r := range []manager.Runnable{session, manager.RunnableFunc(gossip.Run), manager.RunnableFunc(label.set)} {
		if err := mgr.Add(r); err != nil {
			return fmt.Errorf("add a part of the agent: %w", err)
		}
	}
	mgr.GetLogger().Info("starting", "version", version.Current)
	return mgr.Start(ctx)
}

func scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, identity.AddToScheme} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("register the API's kinds: %w", err)
		}
	}
	return s, nil
}

func newManager(config *rest.Config, scheme *runtime.Scheme, watches *readiness.Watches, o options) (manager.Manager, error) {
	managed := labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
	shutdown, leaseDuration, renewDeadline, retryPeriod := 10*time.Second, 20*time.Second, 15*time.Second, 5*time.Second
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		Cache: cache.Options{
			DefaultNamespaces:        map[string]cache.Config{o.namespace: {}},
			DefaultTransform:         cache.TransformStripManagedFields(),
			DefaultWatchErrorHandler: watches.Handler,
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Secret{}:    {Label: managed},
				&corev1.ConfigMap{}: {Label: managed},
			},
		},
		Metrics:                       metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:        o.healthAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElection,
		LeaderElectionID:              "hanse-member-agent",
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &leaseDuration,
		RenewDeadline:                 &renewDeadline,
		RetryPeriod:                   &retryPeriod,
		GracefulShutdownTimeout:       &shutdown,
		// The host session creates its controller again for every credential.
		Controller: ctrlconfig.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("connect to the own cluster: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	return mgr, nil
}

func newHostSession(mgr manager.Manager, own client.Client, config *rest.Config, store *statements.Store, o options) (*host.HostSession, error) {
	limits, err := policy.ParseLimits(o.limits)
	if err != nil {
		return nil, err
	}
	instance := o.pod
	if instance == "" {
		instance = "member-agent"
	}
	return host.New(host.Options{
		Member: o.member, Namespace: o.namespace, Own: own, Cache: mgr.GetCache(),
		Instance: instance, Version: version.Current, KubernetesVersion: kubernetesVersion(config, mgr),
		LeaseInterval: o.leaseInterval, LeaseDuration: o.leaseDuration, CredentialLifetime: o.credentialLifetime,
		// Each holds a plan of the host in memory while it works on it.
		Workers: 16, Events: mgr.GetEventRecorder("member-agent"), Log: mgr.GetLogger(), Now: time.Now,
		Check:      func(plan *v1alpha1.MemberPlan) (string, string) { return reconcile.Check(plan, o.member) },
		Statements: store, Limits: limits, Metrics: o.registry,
	}), nil
}

// kubernetesVersion is empty if the API server does not return it; it is informational.
func kubernetesVersion(config *rest.Config, mgr manager.Manager) string {
	c, err := k8sdiscovery.NewDiscoveryClientForConfigAndClient(config, mgr.GetHTTPClient())
	if err != nil {
		return ""
	}
	v, err := c.ServerVersion()
	if err != nil {
		return ""
	}
	return v.GitVersion
}

// newReconciler wires the phases.
func newReconciler(ctx context.Context, mgr manager.Manager, own client.Client, session *host.HostSession, store *statements.Store, o options) (*discovery.Discovery, *reconcile.Reconciler, error) {
	applier := apply.New(own, reconcile.Owner, time.Now)
	agent := nodes.Agent{Namespace: o.namespace, ServiceAccount: o.serviceAccount}
	driver := fabric.New(fabric.Options{ClusterDomain: o.clusterDomain, AllowsName: policy.Names(o.extraSANs).Allows})
	network, err := o.network.rules()
	if err != nil {
		return nil, nil, err
	}
	reconciler := reconcile.New(ctx, reconcile.Options{
		Member: o.member, MSPID: o.mspID, Namespace: o.namespace, Agent: agent,
		Own: own, Cache: mgr.GetCache(), Config: mgr.GetConfig(), Applier: applier,
		Identity: &identity.Phase{
			Options: identity.Options{
				Member: o.member, Namespace: o.namespace,
				Issuer: identity.Issuer{Name: o.issuerName, Kind: o.issuerKind, Group: o.issuerGroup},
			},
			Applier: applier, Certificates: own, Keys: own, Now: time.Now,
		},
		Nodes: &nodes.Phase{
			Agent: agent, Gateway: o.gatewayHost(), Applier: applier, Direct: own, KeepVolumes: o.keepVolumes,
			Network: network, Pull: nodes.Pull{Reference: policy.Registry(o.imageRegistry).Pulled, Secrets: o.pullSecrets},
			Planners: planners, Now: time.Now,
		},
		Statements: store, Driver: driver, Planners: planners, Reporter: session,
		Ledger: agentledger.Runner{Driver: driver, Planners: planners, Pins: func(plan *v1alpha1.MemberPlan) agentledger.Pins {
			return genesis.Store{Client: own, Namespace: plan.Spec.Namespace, Consortium: plan.Spec.Consortium, Owner: reconcile.Owner}
		}},
		Events: mgr.GetEventRecorder("member-agent"), Metrics: o.registry,
		NodeImages: o.nodeImages, ContractImages: o.contractImages, Approval: policy.Approval(o.approval),
		Networks:      &networks.Finder{Client: own, APIServer: os.Getenv("KUBERNETES_SERVICE_HOST"), Now: time.Now},
		ClusterDomain: o.clusterDomain,
		RoutesTo:      reconcile.ConfigMapKey{Name: routing.RoutesConfigMap, Key: routing.RoutesKey},
		LinesFrom:     routing.ReportConfigMap,
		LineAddresses: o.lineAddresses,
		Workers:       o.workers, Log: mgr.GetLogger(), Now: time.Now,
	})
	store.Changed = reconciler.StatementsChanged
	listener, err := net.Listen("tcp", o.gossipAddress)
	if err != nil {
		return nil, nil, fmt.Errorf("listen on %s for --gossip-address: %w: give an address that is free", o.gossipAddress, err)
	}
	d, err := discovery.New(discovery.Options{
		Member: o.member, Listener: listener, Dial: dialGateway(o.gateway),
		Certificate: reconciler.Certificate, Changed: reconciler.Changed,
		Received: reconciler.StatementReceived, Load: reconciler.LoadStatement,
		Log: mgr.GetLogger(), Metrics: o.registry,
	})
	if err != nil {
		return nil, nil, err
	}
	reconciler.Discovery = d
	return d, reconciler, nil
}
