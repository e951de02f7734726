package memorytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
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
	// approved are the Members that have approved a contract, by channel and name, and committed those whose contract runs.
	approved  map[string][]string
	committed map[string]int64
}

var _ ledger.Driver = (*Driver)(nil)

// New is an empty ledger.
func New() *Driver {
	return &Driver{done: map[string]bool{}, approved: map[string][]string{}, committed: map[string]int64{}}
}

// Identities are a key for each node.
func (d *Driver) Identities(plan *v1alpha1.MemberPlan) []ledger.Identity {
	var identities []ledger.Identity
	for _, node := range plan.Spec.Nodes {
		identities = append(identities, ledger.Identity{
			Name: node.Name + "-key", Kind: ledger.IdentityEd25519, Node: node.Name, Publish: true,
		})
	}
	return identities
}

// Workloads are a container for each node and contract.
func (d *Driver) Workloads(plan *v1alpha1.MemberPlan, _ map[ledger.Authority][]string) ([]ledger.Workload, error) {
	var workloads []ledger.Workload
	for i := range plan.Spec.Nodes {
		node := &plan.Spec.Nodes[i]
		port := Planner{}.Description().Port(node.Role)
		workloads = append(workloads, ledger.Workload{
			Name: node.Name, Node: node, Secrets: []string{node.Name + "-key"},
			Ports: []corev1.ServicePort{{Name: "ledger", Port: int32(port)}},
			Pod: corev1.PodSpec{Containers: []corev1.Container{{
				Name: strings.ToLower(string(node.Role)), Image: node.Image,
				VolumeMounts: []corev1.VolumeMount{{Name: ledger.DataVolume, MountPath: "/data"}},
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
func (d *Driver) Open(_ context.Context, plan *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, _ ledger.Keys) (ledger.Session, error) {
	return &session{Driver: d, plan: plan}, nil
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

// session is one Member's.
type session struct {
	*Driver
	plan *v1alpha1.MemberPlan
}

func (s *session) Genesis(channel v1alpha1.PlanChannel) ([]byte, error) {
	return []byte("first block of " + channel.Name), nil
}

func (s *session) Recover(context.Context, v1alpha1.PlanChannel) (string, []byte, error) {
	return "", nil, nil
}

func (s *session) CheckGenesis(channel v1alpha1.PlanChannel, block []byte) (string, error) {
	if string(block) != "first block of "+channel.Name {
		return "", ledger.ErrGenesisRefused
	}
	sum := sha256.Sum256(block)
	return hex.EncodeToString(sum[:]), nil
}

func (s *session) CheckChannel(context.Context, v1alpha1.PlanChannel, ledger.FirstBlock) error {
	return nil
}

func (s *session) Do(_ context.Context, step, node string, channel v1alpha1.PlanChannel, _ ledger.FirstBlock) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains([]string{StepLoad, StepSeal, StepAnnounce}, step) || (step == StepAnnounce) != (node == "") {
		return fmt.Errorf("step %s at node %q is none of this ledger's", step, node)
	}
	if node == "" {
		node = s.plan.Spec.Member
	}
	s.done[channel.Name+"/"+step+"/"+node] = true
	return nil
}

func (s *session) Height(context.Context, v1alpha1.PlanChannel) (int64, error) { return 1, nil }

func (s *session) Install(_ context.Context, node string, contract v1alpha1.PlanContract) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done[contract.Channel+"/"+StepLoad+"/"+node] {
		return "", fmt.Errorf("%s has not loaded channel %s", node, contract.Channel)
	}
	return contract.Name, nil
}

func (s *session) Definition(_ context.Context, contract v1alpha1.PlanContract) (ledger.Definition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := contract.Channel + "/" + contract.Name
	return ledger.Definition{Sequence: s.committed[key], Approved: slices.Contains(s.approved[key], s.plan.Spec.Member)}, nil
}

func (s *session) Approve(_ context.Context, contract v1alpha1.PlanContract) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := contract.Channel + "/" + contract.Name
	s.approved[key] = append(s.approved[key], s.plan.Spec.Member)
	return nil
}

func (s *session) Commit(_ context.Context, contract v1alpha1.PlanContract) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed[contract.Channel+"/"+contract.Name] = contract.Sequence
	return nil
}

func (s *session) Serves(context.Context, v1alpha1.PlanContract) error { return nil }

func (s *session) Close() error { return nil }
