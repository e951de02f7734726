package memorytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Driver is the ledger that all Members' sessions share.
type Driver struct {
	mu sync.Mutex
	// done are the steps by channel, step and node, or Member where there is no node.
	done map[string]bool
	// seals are those of the validators, by channel and node.
	seals map[string][]byte
	// approvals are the Members' of a contract, by channel, name and Member, and committed the sequences of those that run.
	approvals map[string][]byte
	committed map[string]int64
}

var _ ledger.Driver = (*Driver)(nil)

// New is an empty ledger.
func New() *Driver {
	return &Driver{done: map[string]bool{}, seals: map[string][]byte{}, approvals: map[string][]byte{}, committed: map[string]int64{}}
}

// OrganizationKey is the name of the key that a Member approves with.
const OrganizationKey = "organization-key"

// Identities are a key for each node, and one of the Member's own. The others know them from its record.
func (d *Driver) Identities(plan *v1alpha1.MemberPlan) []ledger.Identity {
	identities := []ledger.Identity{{Name: OrganizationKey, Kind: ledger.IdentityEd25519, Publish: true}}
	for _, node := range plan.Spec.Nodes {
		identities = append(identities, ledger.Identity{
			Name: keyOf(node.Name), Kind: ledger.IdentityEd25519, Node: node.Name, Publish: true,
		})
	}
	return identities
}

func keyOf(node string) string { return node + "-key" }

// Workloads are a container for each node. An archive starts from the first blocks of the Member's channels.
func (d *Driver) Workloads(plan *v1alpha1.MemberPlan, _ map[ledger.Authority][]string) ([]ledger.Workload, error) {
	var workloads []ledger.Workload
	for i := range plan.Spec.Nodes {
		node := &plan.Spec.Nodes[i]
		port := Planner{}.Description().Port(node.Role)
		mounts := []corev1.VolumeMount{{Name: ledger.DataVolume, MountPath: "/data"}}
		var channels []string
		if node.Role == RoleArchive {
			mounts = append(mounts, corev1.VolumeMount{Name: ledger.FirstBlocksVolume, MountPath: "/first-blocks"})
			for _, c := range plan.Spec.Channels {
				channels = append(channels, c.Name)
			}
		}
		workloads = append(workloads, ledger.Workload{
			Name: node.Name, Node: node, Secrets: []string{keyOf(node.Name)}, FirstBlocks: channels,
			Ports: []corev1.ServicePort{{Name: "ledger", Port: int32(port)}},
			Pod: corev1.PodSpec{Containers: []corev1.Container{{
				Name: strings.ToLower(string(node.Role)), Image: node.Image,
				VolumeMounts: mounts,
			}}},
		})
	}
	return workloads, nil
}

// Definition hashes a contract.
func (d *Driver) Definition(_ *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) (string, error) {
	sum := sha256.Sum256([]byte(contract.DefinitionHash()))
	return hex.EncodeToString(sum[:]), nil
}

// Open opens a session.
func (d *Driver) Open(_ context.Context, plan *v1alpha1.MemberPlan, records map[string]v1alpha1.Record, keys ledger.Keys) (ledger.Session, error) {
	return &session{Driver: d, plan: plan, records: records, keys: keys}, nil
}

// Connection lists the addresses of the Member's own archives.
func (d *Driver) Connection(plan *v1alpha1.MemberPlan, channels []string, _ map[string]v1alpha1.Record) (map[string]string, error) {
	text := "channels " + strings.Join(channels, " ") + "\n"
	for _, node := range plan.Spec.Nodes {
		if node.Role == RoleArchive {
			text += fmt.Sprintf("%s:%d\n", v1alpha1.NodeHost(node.Name, plan.Spec.Consortium), Planner{}.Description().Port(node.Role))
		}
	}
	return map[string]string{v1alpha1.ConnectionProfile: text}, nil
}
