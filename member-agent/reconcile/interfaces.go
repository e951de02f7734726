package reconcile

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/discovery"
	"github.com/hanse-io/hanse/member-agent/host"
	"github.com/hanse-io/hanse/member-agent/identity"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/networks"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/statement"
)

// Identity issues certificates.
type Identity interface {
	Organization(ctx context.Context, secrets client.Reader) (root string, agent identity.Credentials, err error)
	Consortium(ctx context.Context, secrets client.Reader, plan *v1alpha1.MemberPlan, identities []ledger.Identity) (identity.Issued, error)
}

// Nodes runs workloads.
type Nodes interface {
	Ensure(ctx context.Context, reader client.Reader, plan *v1alpha1.MemberPlan, workloads []ledger.Workload, digests map[string]string) (nodes.Result, error)
	Retire(ctx context.Context, plan *v1alpha1.MemberPlan) (nodes.Retired, error)
}

// Discovery exchanges records with the other members' agents.
type Discovery interface {
	// SetGroups sets the gossip groups and their members.
	SetGroups(groups []discovery.Group) error
	// Publish makes a statement of the own member known; Offer hands in one that came by way of the host.
	Publish(consortium string, s v1alpha1.StatementSpec) error
	Offer(consortium string, s v1alpha1.StatementSpec) error
	// Request asks the members for a statement that is not exchanged with everybody.
	Request(consortium string, key statement.Key)
	// Records are the checked records by member, in a map of the caller's own.
	Records(consortium string) map[string]v1alpha1.Record
	// Signed is the newest statement that anybody has of a member and kind; empty if there is none.
	Signed(consortium, member string, kind v1alpha1.StatementKind) discovery.Signed
}

// Driver is the part of the ledger driver that is pure.
type Driver interface {
	Identities(plan *v1alpha1.MemberPlan) []ledger.Identity
	Workloads(plan *v1alpha1.MemberPlan, roots map[ledger.Authority][]string) ([]ledger.Workload, error)
	// Connection is how applications connect, as files by name.
	Connection(plan *v1alpha1.MemberPlan, channels []string, records map[string]v1alpha1.Record) (map[string]string, error)
	// Definition is the hash of everything that an approval of a contract binds the member to.
	Definition(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) (string, error)
}

// Ledger takes the member through its part in the channels and contracts. It may take long.
type Ledger interface {
	// Advance does what can be done now.
	Advance(ctx context.Context, in agentledger.Input) agentledger.Progress
	// Forget drops what is kept of a plan's channels, once its nodes have been taken down.
	Forget(ctx context.Context, plan *v1alpha1.MemberPlan) error
}

// Networks finds the own cluster's networks, which nothing that others name may lead to.
type Networks interface {
	Find(ctx context.Context) (networks.Own, error)
}

// Reporter tells the host about the organization.
type Reporter interface {
	SetFacts(host.Facts)
	// CredentialShared says what shows that somebody else uses the agent's credential on the host; empty when nothing does.
	CredentialShared() string
}

// Applier writes desired objects to the own cluster.
type Applier interface {
	Apply(ctx context.Context, obj client.Object) error
	Observe(obj client.Object, gone bool)
	Forget(namespace string)
}
