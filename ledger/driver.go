// Package ledger is what host, agent, plugin and applications need to know of a ledger technology: a Driver and its
// Session, through which a Member's agent takes part in a ledger; the ordinary Client and Reader of its applications; the
// words and errors that they share; and pure questions about a plan. It must know nothing of any one technology, and
// imports no component; drivers live in packages below it.
package ledger

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Authority is one of the CAs that an organization runs for a Consortium.
type Authority string

const (
	// IdentityAuthority issues ledger identities (Fabric: the MSP's root).
	IdentityAuthority Authority = "identity"
	// TLSAuthority issues TLS certificates.
	TLSAuthority Authority = "tls"
	// OperatorAuthority issues the TLS client certificates that open the administration of the organization's own nodes
	// (Fabric: an orderer's channel participation API), and nothing else: no node's and no application's certificate may
	// come from it. It is trusted in the organization's own cluster only, and is in no Record.
	OperatorAuthority Authority = "operator"
)

// AuthoritySubject is the subject of an authority's own certificate: its common name and its organization. That of the TLS
// authorities is the same for all Members of a Consortium. A TLS server names the subjects of the authorities that it knows,
// and a client in Go whose own is not among them connects without its certificate: an orderer that dials another before that
// one has joined a channel with its organization would stay nameless there, on a connection that lasts. With a subject that
// everybody knows it shows its certificate, is turned away, and dials again.
func AuthoritySubject(a Authority, consortium, member string) (commonName, organization string) {
	if a == TLSAuthority {
		return "tls authority " + consortium, consortium
	}
	return string(a) + " authority " + member, member
}

// Identity is what one of the Member's nodes, its agent or its applications act under. Its private key is made in the Member's
// own cluster and kept in a Secret of the identity's name: for a certificate with the keys tls.crt, tls.key and ca.crt, for a
// bare key with tls.key and tls.pub.
type Identity struct {
	// Name of the Secret in the plan's namespace, and of the Certificate.
	Name string
	// Kind of the identity; a certificate when empty. Of a bare key nothing below counts but Node, Optional and Publish.
	Kind IdentityKind
	// Authority that issues it.
	Authority Authority
	// CommonName and OrganizationalUnits of the subject.
	CommonName          string
	OrganizationalUnits []string
	// DNSNames and IPAddresses are the subject alternative names.
	DNSNames    []string
	IPAddresses []string
	// Server and Client ask for the TLS extended key usages.
	Server, Client bool
	// Node whose pod mounts the Secret; empty if it is the agent's own.
	Node string
	// Optional says that nothing waits for the certificate but the pod that mounts it, if there is one.
	Optional bool
	// Deferred says that nothing here starts with it, so that it is requested last: once the plan is ready, or its nodes have
	// been for a while.
	Deferred bool
	// Publish says that the certificate is published in the Member's Record as that node's TLS certificate, or the public part of
	// the bare key as that node's key; as one of the Member's own where it is no node's.
	Publish bool
}

// IsCertificate is whether the identity is a certificate.
func (i Identity) IsCertificate() bool { return i.Kind == "" || i.Kind == IdentityX509 }

// Workload is what runs for one node or contract: pure data that package nodes turns into a StatefulSet (Stateful) or
// a Deployment, a Service of the same name, a ConfigMap of Files and, for nodes, a PodDisruptionBudget.
type Workload struct {
	// Name of the objects in the plan's namespace.
	Name string
	// Node or Contract that it is; exactly one is set.
	Node     *v1alpha1.PlanNode
	Contract *v1alpha1.PlanContract
	// Pod to run. The volumes named below are added by package nodes.
	Pod corev1.PodSpec
	// Files go into a ConfigMap of the workload's name.
	Files map[string]string
	// Ports of the Service.
	Ports []corev1.ServicePort
	// Secrets that the pod mounts; a change in one calls for an orderly restart.
	Secrets []string
	// FirstBlocks are the channels whose first blocks the workload cannot start without. It waits until the Member has checked
	// and pinned them, and a container that mounts FirstBlocksVolume finds each there as CHANNEL.gz.
	FirstBlocks []string
	// Refused says why the organization does not allow it as it is here, and how to fix that; empty if it does. No
	// driver sets it. What runs of a refused workload is left as it is.
	Refused string
	// NotAllowed says what the plan asks for that the organization does not allow, and that the workload runs without;
	// empty if there is nothing of that kind.
	NotAllowed string
}

// Names of the volumes that package nodes adds to a Workload's pod when a container mounts them.
const (
	// FilesVolume is the ConfigMap of the workload's Files.
	FilesVolume = "files"
	// DataVolume is the node's PersistentVolumeClaim.
	DataVolume = "data"
	// FirstBlocksVolume is the pinned first blocks of the workload's FirstBlocks.
	FirstBlocksVolume = "first-blocks"
)

// FirstBlockKey is the entry of a pinned first block, in gzip, in its ConfigMap.
const FirstBlockKey = "block.pb.gz"

// FirstBlockName is the name of the ConfigMap in the Consortium's namespace that holds a channel's pinned first block. No
// workload has a name with a dot in it.
func FirstBlockName(channel string) string { return "first-block." + channel }

// KeyPair is an identity as it was issued: PEM of the chain, of the PKCS8 key and of the CA; or a bare key, PEM of its PKCS8
// and of its public part.
type KeyPair struct {
	Certificate, Key, CA []byte
	Public               []byte
}

// Keys hands out the Member's own identities by Identity.Name. They never leave the process.
type Keys func(ctx context.Context, name string) (KeyPair, error)

// Driver is a ledger technology as the agent drives it.
type Driver interface {
	// Identities lists the certificates that the plan's Member needs. Pure.
	Identities(plan *v1alpha1.MemberPlan) []Identity
	// Workloads lists what the plan's Member is to run: its nodes and its contracts. roots are those of the Member's own
	// authorities in PEM, as far as they have been issued. Pure.
	Workloads(plan *v1alpha1.MemberPlan, roots map[Authority][]string) ([]Workload, error)
	// Definition is the hex SHA-256 of everything that an approval of a contract binds the Member to, computed from the very
	// definition that Session.Approve signs. Pure.
	Definition(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) (string, error)
	// Connection is how the Member's applications connect, as files by name. Nodes and roots come from records that have been
	// verified, and channels are those that the Member's own nodes hold: nothing else of a plan is used. Pure.
	Connection(plan *v1alpha1.MemberPlan, channels []string, records map[string]v1alpha1.Record) (map[string]string, error)
	// Open connects to the Member's own nodes. records holds a checked Record of every Member that is known, by name.
	Open(ctx context.Context, plan *v1alpha1.MemberPlan, records map[string]v1alpha1.Record, keys Keys) (Session, error)
}

// FirstBlock is a channel's first block for joining: its hash, and the block itself on demand.
type FirstBlock struct {
	Hash  string
	Block func(ctx context.Context) ([]byte, error)
}

// Definition is what a ledger holds of a contract, as one Member's peer has it.
type Definition struct {
	// Sequence of the definition that is committed, whoever committed it; zero if none is.
	Sequence int64
	// Differs says in what it differs from the plan's; empty if it is the same, or if none is committed.
	Differs string
	// Forbidden says what the plan would change of it and the ledger does not allow; empty if nothing.
	Forbidden string
	// Workload is the name of the workload whose package this Member has approved for it; empty if none.
	Workload string
	// Approved is whether this Member has approved the plan's definition, package included, under the plan's sequence.
	Approved bool
}

// Session is a Member's connection to the ledger. Every method can be called again at any time and only does what has
// not been done; an error says what it waits for.
type Session interface {
	// Genesis makes the first block of a channel. Only the channel's Leader calls it.
	Genesis(channel v1alpha1.PlanChannel) ([]byte, error)
	// Recover is the first block of a channel that one of the Member's peers has joined already, with that peer's name; nil
	// if none has. It keeps a Leader that forgot from making another one.
	Recover(ctx context.Context, channel v1alpha1.PlanChannel) (node string, block []byte, err error)
	// CheckGenesis compares a channel's first block with what the plan and the records say, and returns the hex
	// SHA-256 of its header. An error that is ErrGenesisRefused says what differs.
	CheckGenesis(channel v1alpha1.PlanChannel, block []byte) (hash string, err error)
	// CheckChannel compares a channel of the plan, its members and rules, with what its first block says. An error that is
	// ErrChannelDiffers says what differs.
	CheckChannel(ctx context.Context, channel v1alpha1.PlanChannel, first FirstBlock) error
	// Do does a step of the ledger's description in a channel, at a node if it is one that is done at nodes. An error that is
	// ErrLedgerDiffers says that the node holds a ledger of that name that begins with another block.
	Do(ctx context.Context, step, node string, channel v1alpha1.PlanChannel, first FirstBlock) error
	// Height is the number of blocks at the Member's highest peer.
	Height(ctx context.Context, channel v1alpha1.PlanChannel) (int64, error)
	// Install puts a contract's package on one of the Member's peers and returns the package's ID.
	Install(ctx context.Context, node string, contract v1alpha1.PlanContract) (packageID string, err error)
	// Definition reads what the ledger holds of a contract, and what this Member has approved.
	Definition(ctx context.Context, contract v1alpha1.PlanContract) (Definition, error)
	// Approve approves a contract's definition for the Member under the plan's sequence.
	Approve(ctx context.Context, contract v1alpha1.PlanContract) error
	// Commit commits a contract's definition if enough Members have approved it. Only the channel's Leader calls it;
	// an error that is ErrNotApproved names those who have not.
	Commit(ctx context.Context, contract v1alpha1.PlanContract) error
	// Serves says what is missing before the Member's own peers answer for the contract and its transactions can be
	// endorsed.
	Serves(ctx context.Context, contract v1alpha1.PlanContract) error
	// Close ends the connections.
	Close() error
}
