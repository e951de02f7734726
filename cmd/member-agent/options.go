package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/logging"
	"github.com/hanse-io/hanse/member-agent/policy"
	"github.com/hanse-io/hanse/member-agent/reconcile"
)

// options are what the flags of `run` say.
type options struct {
	member         string
	mspID          string
	namespace      string
	serviceAccount string
	pod            string
	clusterDomain  string
	gateway        string

	gossipAddress  string
	metricsAddress string
	healthAddress  string
	pprofAddress   string
	leaderElection bool
	workers        int

	leaseInterval, leaseDuration time.Duration
	credentialLifetime           time.Duration

	issuerName, issuerKind, issuerGroup string

	// lineAddressTexts are lineAddresses as the flag has them.
	lineAddressTexts []string
	lineAddresses    []reconcile.LineAddress

	nodeImages, contractImages []string
	approval                   string
	keepVolumes                bool
	limits                     map[string]string
	extraSANs                  []string
	network                    network
	imageRegistry              string
	pullSecrets                []string

	logs logging.Options
	// registry takes the metrics of what is no controller.
	registry prometheus.Registerer
}

func defaults() options {
	return options{
		namespace:          cmp.Or(os.Getenv("POD_NAMESPACE"), "hanse-system"),
		pod:                os.Getenv("POD_NAME"),
		serviceAccount:     "member-agent",
		clusterDomain:      "cluster.local",
		gossipAddress:      fmt.Sprintf(":%d", v1alpha1.PortGossip),
		metricsAddress:     ":8080",
		healthAddress:      ":8081",
		leaderElection:     true,
		logs:               logging.Default(),
		workers:            8,
		leaseInterval:      time.Minute,
		leaseDuration:      80 * time.Second,
		credentialLifetime: v1alpha1.MaxCredentialSeconds * time.Second,
		issuerKind:         "Issuer",
		issuerGroup:        "cert-manager.io",
		nodeImages:         planners.Images(),
		contractImages:     policy.DefaultContractImages,
		approval:           string(policy.Automatic),
		registry:           metrics.Registry,
	}
}

func (o *options) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.member, "member", o.member, "name of the Member on the host that this cluster belongs to")
	f.StringVar(&o.mspID, "msp-id", o.mspID, "this organization's name on the ledger, as the Member on the host has it; MEMBERMSP if empty")
	f.StringVar(&o.namespace, "namespace", o.namespace, "namespace of the agent")
	f.StringVar(&o.serviceAccount, "service-account", o.serviceAccount, "the agent's own ServiceAccount, which it gives rights in the namespaces that it makes")
	f.StringVar(&o.pod, "pod", o.pod, "the agent's own pod, which is labelled while it leads; none if empty")
	f.StringVar(&o.clusterDomain, "cluster-domain", o.clusterDomain, "DNS domain of this cluster")
	f.StringVar(&o.gateway, "gateway", o.gateway, "address of the gateway's inside listener; that of its Service if empty")
	f.StringVar(&o.gossipAddress, "gossip-address", o.gossipAddress, "where to take other agents' gossip from the gateway")
	f.StringVar(&o.metricsAddress, "metrics-address", o.metricsAddress, "address that serves metrics; 0 for none")
	f.StringVar(&o.healthAddress, "health-address", o.healthAddress, "address that serves /healthz and /readyz; 0 for none")
	f.StringVar(&o.pprofAddress, "pprof-address", o.pprofAddress, "address that serves profiles under /debug/pprof/, for whoever reaches it: take one such as 127.0.0.1:6060; none if empty")
	f.BoolVar(&o.leaderElection, "leader-election", o.leaderElection, "let one of several replicas do the work at a time")
	f.IntVar(&o.workers, "workers", o.workers, "consortia that are worked on at the same time")
	f.DurationVar(&o.leaseInterval, "lease-interval", o.leaseInterval, "how often to renew the Lease on the host")
	f.DurationVar(&o.leaseDuration, "lease-duration", o.leaseDuration, "how long the host is to wait for the next renewal; it adds half as much")
	f.DurationVar(&o.credentialLifetime, "credential-lifetime", o.credentialLifetime, "lifetime to ask for when the host issues or renews the agent's credential; an agent that is cut off for longer has to be invited again")
	f.StringVar(&o.issuerName, "issuer-name", o.issuerName, "issuer of cert-manager that vouches for the agent and the gateway; a root of Hanse's own if empty")
	f.StringVar(&o.issuerKind, "issuer-kind", o.issuerKind, "kind of that issuer: Issuer or ClusterIssuer")
	f.StringVar(&o.issuerGroup, "issuer-group", o.issuerGroup, "API group of that issuer")
	f.StringArrayVar(&o.nodeImages, "node-image", o.nodeImages, "prefix of images that this organization allows for its nodes, whatever the host says; may be repeated; * allows every image")
	f.StringArrayVar(&o.contractImages, "contract-image", o.contractImages, "prefix of images that this organization allows for contracts; may be repeated; * allows every image")
	f.StringVar(&o.approval, "contract-approval", o.approval, "Automatic, or ByHand: contracts are approved once somebody has annotated the mirror of the plan")
	f.BoolVar(&o.keepVolumes, "keep-volumes", o.keepVolumes, "keep the nodes' volumes when a consortium is taken down, whatever the host says")
	f.StringArrayVar(&o.lineAddressTexts, "line-address", nil, "where the others reach this organization's gateway: ADDRESS or ADDRESS:PORT; may be repeated; only these are signed into the organization's record")
	f.StringToStringVar(&o.limits, "limit", o.limits, "most that plans may ask of this cluster, whatever the host says, as NAME=QUANTITY: "+
		"consortia, nodes, contracts, planBytes, totalPlanBytes, storage, podCPU, podMemory; may be repeated")
	f.StringArrayVar(&o.extraSANs, "extra-san", o.extraSANs, "DNS name, domain with a dot before it, IP address or CIDR that this organization lets its nodes' certificates have, beside the nodes' own names; may be repeated")
	f.StringVar(&o.imageRegistry, "image-registry", o.imageRegistry, "registry from which this organization pulls the images of all nodes and contracts, in place of the one in their references: HOST[:PORT][/PATH]; none if empty")
	f.StringArrayVar(&o.pullSecrets, "image-pull-secret", o.pullSecrets, "name of a Secret in the agent's namespace with which nodes and contracts pull their images; may be repeated")
	o.network.addFlags(f)
	o.logs.AddFlags(f)
}

func (o *options) validate() error {
	switch {
	case o.member == "":
		return errors.New("--member is needed: the name that this organization has on the host")
	case o.namespace == "":
		return errors.New("--namespace is needed: the one that the agent runs in")
	case o.workers < 1:
		return errors.New("--workers has to be 1 at least")
	case o.leaseInterval <= 0 || o.leaseDuration < o.leaseInterval:
		return errors.New("--lease-duration has to be as long as --lease-interval at least")
	case o.credentialLifetime < 10*time.Minute || o.credentialLifetime > v1alpha1.MaxCredentialSeconds*time.Second:
		return fmt.Errorf("--credential-lifetime has to be between 10m and %s", v1alpha1.MaxCredentialSeconds*time.Second)
	}
	if err := policy.Images(o.nodeImages).Validate(); err != nil {
		return fmt.Errorf("--node-image: %w", err)
	}
	if err := policy.Images(o.contractImages).Validate(); err != nil {
		return fmt.Errorf("--contract-image: %w", err)
	}
	if err := policy.Approval(o.approval).Validate(); err != nil {
		return fmt.Errorf("--contract-approval: %w", err)
	}
	o.lineAddresses = nil
	for _, text := range o.lineAddressTexts {
		a, err := reconcile.ParseLineAddress(text)
		if err != nil {
			return fmt.Errorf("--line-address: %w", err)
		}
		o.lineAddresses = append(o.lineAddresses, a)
	}
	if _, err := policy.ParseLimits(o.limits); err != nil {
		return fmt.Errorf("--limit: %w", err)
	}
	if err := policy.Names(o.extraSANs).Validate(); err != nil {
		return fmt.Errorf("--extra-san: %w", err)
	}
	if err := policy.Registry(o.imageRegistry).Validate(); err != nil {
		return fmt.Errorf("--image-registry: %w", err)
	}
	if _, err := o.network.rules(); err != nil {
		return err
	}
	if o.gateway == "" {
		o.gateway = fmt.Sprintf("%s:%d", o.gatewayHost(), v1alpha1.PortLine)
	}
	return nil
}

// gatewayHost is the DNS name of the gateway's Service.
func (o *options) gatewayHost() string { return "gateway." + o.namespace + ".svc." + o.clusterDomain }

func runCommand() *cobra.Command {
	o := defaults()
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the agent: carry out the plans that the host has for this organization",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			if _, err := o.logs.Set(); err != nil {
				return err
			}
			config, err := ctrl.GetConfig()
			if err != nil {
				return fmt.Errorf("find the API server: %w", err)
			}
			return run(cmd.Context(), config, o)
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}
