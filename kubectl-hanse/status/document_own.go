package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// OrganizationStatus is what `kubectl hanse status -o json` prints in an organization's own cluster: what its agent says of
// the consortium, host or no host. Steps are the agent's, in their order, as far as it has come.
type OrganizationStatus struct {
	Item       `json:",inline"`
	Member     string             `json:"member"`
	Ready      bool               `json:"ready"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	WaitsFor   []Wait             `json:"waitsFor,omitempty"`
	Steps      []Item             `json:"steps"`
	Nodes      []NodeStatus       `json:"nodes"`
	Channels   []OwnChannel       `json:"channels"`
	Contracts  []OwnContract      `json:"contracts"`
}

// OwnChannel is a channel as the organization's own nodes have it.
type OwnChannel struct {
	Item        `json:",inline"`
	Height      int64  `json:"height,omitempty"`
	GenesisHash string `json:"genesisHash,omitempty"`
}

// OwnContract is a contract as the organization's own nodes have it. Approved and Committed are sequences of its definition.
type OwnContract struct {
	Item      `json:",inline"`
	Channel   string `json:"channel"`
	Running   bool   `json:"running"`
	Approved  int64  `json:"approved,omitempty"`
	Committed int64  `json:"committed,omitempty"`
}

// organizationDocument is the organization's own tree for programs. Pure.
func organizationDocument(plan v1alpha1.MemberPlan) OrganizationStatus {
	top, status := memberTop(plan), plan.Status
	d := OrganizationStatus{
		Item: item(top), Member: plan.Spec.Member, Ready: top.mark == done, Conditions: status.Conditions,
		Steps: []Item{}, Nodes: []NodeStatus{}, Channels: []OwnChannel{}, Contracts: []OwnContract{},
	}
	steps, nodes, channels, contracts := stepRows(plan), nodeRows(plan), ownChannelRows(plan), ownContractRows(plan)
	for _, r := range steps {
		d.Steps = append(d.Steps, item(r))
	}
	for i, r := range nodes {
		d.Nodes = append(d.Nodes, NodeStatus{item(r), string(status.Nodes[i].Role)})
	}
	for i, r := range channels {
		d.Channels = append(d.Channels, OwnChannel{item(r), status.Channels[i].Height, status.Channels[i].GenesisHash})
	}
	for i, r := range contracts {
		c := status.Contracts[i]
		r.name = c.Name
		d.Contracts = append(d.Contracts, OwnContract{item(r), c.Channel, c.Running, c.Approved, c.Committed})
		contracts[i] = r
	}
	if len(steps) == 0 {
		d.WaitsFor = waits("Consortium", []row{top}, d.Member)
	}
	for _, of := range []struct {
		kind string
		rows []row
	}{{"Step", steps}, {"Node", nodes}, {"Channel", channels}, {"Contract", contracts}} {
		d.WaitsFor = append(d.WaitsFor, waits(of.kind, of.rows, d.Member)...)
	}
	return d
}
