package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// A definition is what the members approve of a contract. It is all of a PlanContract, including fields that are added
// later, except those that the functions here remove by name. Empty fields must be omitted from the JSON, so that hashes do
// not change when a field is added.

// DefinitionHash is the hex SHA-256 of a definition. It excludes the sequence, the resources and the replicas.
func (c *PlanContract) DefinitionHash() string {
	d := *c
	d.Sequence, d.Resources, d.Replicas = 0, nil, 0
	return hashOf(d)
}

// RuntimeHash is the hex SHA-256 of the part of a definition that says what runs. One workload and one package serve every
// definition of the same.
func (c *PlanContract) RuntimeHash() string {
	d := *c
	d.Sequence, d.Resources, d.Replicas = 0, nil, 0
	d.Version, d.Endorsement, d.Collections = "", EndorsementPolicy{}, nil
	return hashOf(d)
}

// WorkloadName is the name of a contract's workload and Service in a member's cluster. It changes with RuntimeHash, so
// that the workload of the committed definition runs until the next definition is committed.
func (c *PlanContract) WorkloadName() string {
	return c.Channel + "-" + c.Name + "-" + c.RuntimeHash()[:8]
}

func hashOf(d PlanContract) string {
	text, err := json.Marshal(d)
	if err != nil {
		panic("v1alpha1: a contract that cannot be encoded: " + err.Error()) // strings, numbers and booleans only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
