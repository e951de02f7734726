package reconcile

import (
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/member-agent/policy"
)

// Names of ConfigMaps in the agent's namespace.
const (
	// PinsConfigMap holds each member's root, in PEM by name: the key as it was first seen, in its newest certificate.
	PinsConfigMap = "hanse-pins"
	// Owner is the field manager of everything that the agent writes in its own cluster but mirrors.
	Owner = "hanse-member-agent"
)

const (
	// Requeue intervals, beside events: requeueNotReady for a plan that is not ready, requeueStalled for one that has not
	// been for long, requeueReady for one that is.
	requeueNotReady = 10 * time.Second
	requeueStalled  = time.Minute
	requeueReady    = 5 * time.Minute
	// jitter is the factor by which an interval may be longer, so that plans are not requeued all at once.
	jitter = 0.5
)

// ConfigMapKey names one entry of a ConfigMap in the agent's namespace.
type ConfigMapKey struct{ Name, Key string }

// Options of a Reconciler.
type Options struct {
	Member string
	// MSPID is the organization's name on the ledger, as its own chart has it; NAMEMSP when empty.
	MSPID string
	// Namespace of the agent.
	Namespace string
	Agent     nodes.Agent
	// Own reads and writes the own cluster without a cache.
	Own client.Client
	// Cache holds what is in the agent's own namespace.
	Cache cache.Cache
	// Config is how caches of consortium namespaces reach the own cluster.
	Config *rest.Config

	Applier    Applier
	Identity   Identity
	Nodes      Nodes
	Discovery  Discovery
	Statements Statements
	Driver     Driver
	// Planners of the ledgers that the agent knows.
	Planners ledger.Planners
	Ledger   Ledger
	Networks Networks
	Reporter Reporter

	// NodeImages and ContractImages are what the organization lets run in its cluster.
	NodeImages, ContractImages policy.Images
	// Approval is how it comes to approve a contract.
	Approval policy.Approval

	// ClusterDomain is the own cluster's DNS domain.
	ClusterDomain string
	// RoutesTo is where the gateways read their routes.
	RoutesTo ConfigMapKey
	// LinesFrom is the name of the ConfigMap in which each gateway reports under a key of its own.
	LinesFrom string

	// LineAddresses are where the others reach the organization's gateway, as its own chart says. No other address of a
	// line is signed into the member's record, and none at all if there are none.
	LineAddresses []LineAddress

	// Events records events about plans in the own cluster; none if nil.
	Events events.EventRecorder
	// Metrics registers this package's metrics; none if nil.
	Metrics prometheus.Registerer

	// Workers that carry plans out in parallel.
	Workers int
	Log     logr.Logger
	Now     func() time.Time
}
