package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// A definition is what the members approve of a contract. Everything in a PlanContract belongs to it, a field that is added
// too, but for what the functions here take out by name. What is empty has to be left out of the JSON, so that the hashes
// stay as they are when a field is added.

// DefinitionHash is the hex SHA-256 of a definition. Its sequence is not in it, nor how much of the members' machines it uses.
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

// WorkloadName is the name of a contract's workload and Service in a member's cluster. It differs where what runs differs,
// so that the one that serves what is committed runs on until the next one is.
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
