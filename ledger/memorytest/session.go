package memorytest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/statement"
)

// session is one Member's.
type session struct {
	*Driver
	plan    *v1alpha1.MemberPlan
	records map[string]v1alpha1.Record
	keys    ledger.Keys
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

func (s *session) Do(ctx context.Context, step, node string, channel v1alpha1.PlanChannel, _ ledger.FirstBlock) error {
	if !slices.Contains([]string{StepLoad, StepSeal, StepAnnounce}, step) || (step == StepAnnounce) != (node == "") {
		return fmt.Errorf("step %s at node %q is none of this ledger's", step, node)
	}
	var seal []byte
	if step == StepSeal {
		var err error
		if seal, err = s.sign(ctx, keyOf(node), sealed(channel.Name, node)); err != nil {
			return err
		}
	}
	if node == "" {
		node = s.plan.Spec.Member
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seal != nil {
		s.seals[channel.Name+"/"+node] = seal
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
	return ledger.Definition{
		Sequence: s.committed[nameOf(contract)], Approved: s.approvals[nameOf(contract)+"/"+s.plan.Spec.Member] != nil,
	}, nil
}

// Approve signs the contract with the Member's own key.
func (s *session) Approve(ctx context.Context, contract v1alpha1.PlanContract) error {
	approval, err := s.sign(ctx, OrganizationKey, []byte(contract.DefinitionHash()))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.approvals[nameOf(contract)+"/"+s.plan.Spec.Member] = approval
	return nil
}

// Commit wants everybody's approval, signed with the key in that Member's record.
func (s *session) Commit(_ context.Context, contract v1alpha1.PlanContract) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.plan.Spec.Members {
		keys := s.records[m.Name].IdentityKeys
		switch approval := s.approvals[nameOf(contract)+"/"+m.Name]; {
		case len(keys) == 0:
			return ledger.WaitingFor("the record of", m.Name)
		case approval == nil:
			return &ledger.Waiting{For: []string{m.Name}, What: "the approval of " + m.Name, Cause: ledger.ErrNotApproved}
		case !signed(keys[0], []byte(contract.DefinitionHash()), approval):
			return fmt.Errorf("%w: the approval of %s is not signed with the key in its record", ledger.ErrNotApproved, m.Name)
		}
	}
	s.committed[nameOf(contract)] = contract.Sequence
	return nil
}

// Serves wants every validator's seal, made with the key that its Member's record has for the node.
func (s *session) Serves(_ context.Context, contract v1alpha1.PlanContract) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.plan.Spec.Members {
		for _, node := range s.records[m.Name].Nodes {
			seal := s.seals[contract.Channel+"/"+node.Name]
			if node.Role == RoleValidator && !signed(node.PublicKey, sealed(contract.Channel, node.Name), seal) {
				return fmt.Errorf("channel %s is not sealed with the key of %s", contract.Channel, node.Name)
			}
		}
	}
	return nil
}

func nameOf(contract v1alpha1.PlanContract) string { return contract.Channel + "/" + contract.Name }

func sealed(channel, node string) []byte { return []byte(channel + " sealed by " + node) }

// sign signs with one of the Member's own keys.
func (s *session) sign(ctx context.Context, name string, message []byte) ([]byte, error) {
	pair, err := s.keys(ctx, name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(pair.Key)
	if block == nil {
		return nil, fmt.Errorf("%s is not a key in PEM", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	own, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is a %T, not an Ed25519 key", name, key)
	}
	return ed25519.Sign(own, message), nil
}

// signed is whether a signature is of a key in PEM.
func signed(public string, message, signature []byte) bool {
	key, err := statement.ParsePublicKey(public)
	return err == nil && key.Verify(message, signature)
}

func (s *session) Close() error { return nil }
