package status

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// State is how something stands, as the tree marks it.
type State string

// The states.
const (
	Ready   State = "Ready"
	Waiting State = "Waiting"
	Failed  State = "Failed"
	// Unknown is that nobody has said yet, or that whoever said it is out of contact.
	Unknown State = "Unknown"
)

var states = map[string]State{done: Ready, waiting: Waiting, failed: Failed, unknown: Unknown}

// Item is one thing and how it stands. Reason is one word where there is one, Message what the tree says.
type Item struct {
	Name    string `json:"name"`
	State   State  `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// Wait is something that is not ready: what, at which Member, and what it waits for or fails of.
type Wait struct {
	// Kind is Consortium, Member, Node, Step, Line, Channel or Contract.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Member at which it is so; empty if it is the host that says so.
	Member  string `json:"member,omitempty"`
	State   State  `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// ConsortiumStatus is what `kubectl hanse status -o json` prints on a host.
type ConsortiumStatus struct {
	Item      `json:",inline"`
	Namespace string `json:"namespace"`
	Ledger    string `json:"ledger"`
	// Ready is what --wait waits for: it, its channels and its contracts are ready as they are declared now.
	Ready      bool               `json:"ready"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	WaitsFor   []Wait             `json:"waitsFor,omitempty"`
	Members    []MemberStatus     `json:"members"`
	Lines      []LineStatus       `json:"lines"`
	Channels   []ChannelStatus    `json:"channels"`
	Contracts  []ContractStatus   `json:"contracts"`
}

// MemberStatus is one organization. Conditions are those of its plan, as its agent reports them.
type MemberStatus struct {
	Item         `json:",inline"`
	Organization string             `json:"organization,omitempty"`
	Online       bool               `json:"online"`
	AgentVersion string             `json:"agentVersion,omitempty"`
	Kubernetes   string             `json:"kubernetes,omitempty"`
	Nodes        []NodeStatus       `json:"nodes"`
	Conditions   []metav1.Condition `json:"conditions,omitempty"`
}

// NodeStatus is one ledger node.
type NodeStatus struct {
	Item `json:",inline"`
	Role string `json:"role,omitempty"`
}

// LineStatus is a line with what its ends say.
type LineStatus struct {
	Item       `json:",inline"`
	Ends       []LineEnd          `json:"ends,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// LineEnd is what one end says of the way to the other.
type LineEnd struct {
	From            string `json:"from"`
	State           string `json:"state"`
	Reason          string `json:"reason,omitempty"`
	Active          bool   `json:"active"`
	RTTMicroseconds int64  `json:"rttMicroseconds,omitempty"`
}

// ChannelStatus is a channel; At are the Members at which it is not as it should be.
type ChannelStatus struct {
	Item        `json:",inline"`
	Height      int64              `json:"height,omitempty"`
	GenesisHash string             `json:"genesisHash,omitempty"`
	At          []Wait             `json:"at,omitempty"`
	Conditions  []metav1.Condition `json:"conditions,omitempty"`
}

// ContractStatus is a contract; At are the Members at which it is not as it should be.
type ContractStatus struct {
	Item       `json:",inline"`
	Channel    string             `json:"channel"`
	Sequence   int64              `json:"sequence,omitempty"`
	Committed  int64              `json:"committed,omitempty"`
	At         []Wait             `json:"at,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

func item(r row) Item {
	return Item{Name: r.name, State: states[r.mark], Reason: r.reason, Message: r.text}
}

// consortiumDocument is the tree for programs. Pure.
func consortiumDocument(s Snapshot) ConsortiumStatus {
	c := s.Consortium
	top := conditionRow(c.Name, c.Status.Conditions)
	d := ConsortiumStatus{
		Item: item(top), Namespace: c.Namespace, Ledger: cmp.Or(string(c.Spec.Ledger.Type), string(v1alpha1.LedgerFabric)), Ready: ready(s),
		Conditions: c.Status.Conditions, Members: []MemberStatus{}, Lines: []LineStatus{}, Channels: []ChannelStatus{}, Contracts: []ContractStatus{},
	}
	d.wait("Consortium", []row{top}, "")
	d.wait("Step", ownFaults(c), "")
	for _, m := range s.Members {
		d.addMember(s, m)
	}
	for _, l := range s.Lines {
		d.addLine(s, l)
	}
	for _, channel := range s.Channels {
		at := waitsAt(s, "Channel", channel.Name, channelAt, channel)
		status := ChannelStatus{Item: item(objectRow(channel.Name, channel.Status.Conditions, channelAt(s, channel))), At: at,
			Height: channel.Status.Height, GenesisHash: channel.Status.GenesisHash, Conditions: channel.Status.Conditions}
		d.Channels = append(d.Channels, status)
		d.addObject("Channel", status.Item, at)
	}
	for _, contract := range s.Contracts {
		at := waitsAt(s, "Contract", contract.Name, contractAt, contract)
		status := ContractStatus{Item: item(objectRow(contract.Name, contract.Status.Conditions, contractAt(s, contract))), At: at, Channel: contract.Spec.Channel,
			Sequence: contract.Status.Sequence, Committed: contract.Status.Committed, Conditions: contract.Status.Conditions}
		d.Contracts = append(d.Contracts, status)
		d.addObject("Contract", status.Item, at)
	}
	return d
}

// wait takes down those rows that are not done.
func (d *ConsortiumStatus) wait(kind string, rows []row, member string) {
	d.WaitsFor = append(d.WaitsFor, waits(kind, rows, member)...)
}

func waits(kind string, rows []row, member string) []Wait {
	var found []Wait
	for _, r := range rows {
		if r.mark != done {
			found = append(found, Wait{Kind: kind, Name: r.name, Member: member, State: states[r.mark], Reason: r.reason, Message: r.text})
		}
	}
	return found
}

// addObject has an object be waited for at its Members or, where none says so, as the host says.
func (d *ConsortiumStatus) addObject(kind string, i Item, at []Wait) {
	if len(at) == 0 && i.State != Ready {
		at = []Wait{{Kind: kind, Name: i.Name, State: i.State, Reason: i.Reason, Message: i.Message}}
	}
	d.WaitsFor = append(d.WaitsFor, at...)
}

// waitsAt are the Members at which an object is not as it should be.
func waitsAt[T any](s Snapshot, kind, name string, rows func(Snapshot, T) []row, object T) []Wait {
	var found []Wait
	all := rows(s, object)
	for _, m := range s.Members {
		for _, r := range all {
			if r.name == "at "+m.Member.Name {
				found = append(found, Wait{Kind: kind, Name: name, Member: m.Member.Name, State: states[r.mark], Reason: r.reason, Message: r.text})
			}
		}
	}
	return found
}

func (d *ConsortiumStatus) addMember(s Snapshot, m MemberSnapshot) {
	top := memberRow(s, m)
	status := MemberStatus{
		Item: item(top), Organization: m.Member.Spec.Organization, Online: m.online(), AgentVersion: m.Member.Status.Agent.Version,
		Kubernetes: m.Member.Status.Agent.KubernetesVersion, Nodes: []NodeStatus{}, Conditions: m.Plan.Status.Conditions,
	}
	nodes, faults := memberNodes(s, m), []row{}
	if m.Member.UID != "" {
		faults = slices.Concat(credentialFault(m.Member.Status.Conditions), phaseFaults(s, m))
	}
	if !m.online() || !meta.IsStatusConditionTrue(m.Plan.Status.Conditions, v1alpha1.ConditionReady) || !anyFailed(slices.Concat(nodes, faults)) {
		// Else it is marked for what follows alone.
		d.wait("Member", []row{top}, m.Member.Name)
	}
	for i, r := range nodes {
		status.Nodes = append(status.Nodes, NodeStatus{item(r), string(m.Plan.Status.Nodes[i].Role)})
	}
	d.wait("Node", nodes, m.Member.Name)
	d.wait("Step", faults, m.Member.Name)
	d.Members = append(d.Members, status)
}

func (d *ConsortiumStatus) addLine(s Snapshot, l v1alpha1.Line) {
	at := waitsAt(s, "Line", l.Name, lineAt, l)
	status := LineStatus{Item: item(objectRow(l.Name, l.Status.Conditions, lineAt(s, l))), Conditions: l.Status.Conditions}
	for _, end := range l.Status.Ends {
		status.Ends = append(status.Ends, LineEnd{From: end.From, State: string(end.State), Reason: string(end.Reason), Active: end.Active, RTTMicroseconds: end.RTTMicroseconds})
	}
	d.Lines = append(d.Lines, status)
	d.addObject("Line", status.Item, at)
}
