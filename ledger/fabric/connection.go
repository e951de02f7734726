package fabric

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// The types below are the connection profile that Fabric's SDKs read ("common connection profile", version 1.0.0).
// Only what they need is written: addresses, names and roots. There is nothing secret in it.

type profile struct {
	Name          string                         `json:"name"`
	Version       string                         `json:"version"`
	Client        profileClient                  `json:"client"`
	Channels      map[string]profileChannel      `json:"channels,omitempty"`
	Organizations map[string]profileOrganization `json:"organizations"`
	Orderers      map[string]profileNode         `json:"orderers,omitempty"`
	Peers         map[string]profileNode         `json:"peers"`
}

type profileClient struct {
	Organization string     `json:"organization"`
	TLSCerts     profileTLS `json:"tlsCerts"`
}

type profileTLS struct {
	SystemCertPool bool `json:"systemCertPool"`
}

type profileChannel struct {
	Orderers []string                      `json:"orderers,omitempty"`
	Peers    map[string]profileChannelPeer `json:"peers"`
	Policies profilePolicies               `json:"policies"`
}

// profilePolicies limits service discovery to one peer at a time: the archived SDK cancels concurrent discovery calls on
// shared connections.
type profilePolicies struct {
	Discovery profileDiscovery `json:"discovery"`
}

type profileDiscovery struct {
	MaxTargets int `json:"maxTargets"`
}

type profileChannelPeer struct {
	EndorsingPeer  bool `json:"endorsingPeer"`
	ChaincodeQuery bool `json:"chaincodeQuery"`
	LedgerQuery    bool `json:"ledgerQuery"`
	EventSource    bool `json:"eventSource"`
}

type profileOrganization struct {
	MSPID      string   `json:"mspid"`
	CryptoPath string   `json:"cryptoPath"`
	Peers      []string `json:"peers"`
}

type profileNode struct {
	URL         string         `json:"url"`
	GRPCOptions map[string]any `json:"grpcOptions"`
	TLSCACerts  profilePEM     `json:"tlsCACerts"`
}

type profilePEM struct {
	PEM string `json:"pem"`
}

// Connection is how the Member's applications connect, as files by name. Nodes and roots come from records that have
// been verified, and channels are those that the Member's own peers have joined: nothing else of a plan is used. Members
// without a record are left out. Pure.
func (d *Driver) Connection(plan *v1alpha1.MemberPlan, channels []string, records map[string]v1alpha1.Record) (map[string]string, error) {
	p := profile{
		Name: plan.Spec.Consortium, Version: "1.0.0", Client: profileClient{Organization: plan.Spec.Member},
		Channels: map[string]profileChannel{}, Organizations: map[string]profileOrganization{},
		Orderers: map[string]profileNode{}, Peers: map[string]profileNode{},
	}
	for _, member := range plan.Spec.Members {
		if record, known := records[member.Name]; known {
			p.add(plan, member, record)
		}
	}
	for _, name := range channels {
		if channel, found := channelOf(plan, name); found {
			p.Channels[name] = profileChannelOf(plan, channel, records)
		}
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the connection profile: %w", err)
	}
	return map[string]string{v1alpha1.ConnectionProfile: string(text) + "\n"}, nil
}

// add adds an organization and its nodes.
func (p *profile) add(plan *v1alpha1.MemberPlan, member v1alpha1.PlanMember, record v1alpha1.Record) {
	organization := profileOrganization{MSPID: MSPID(plan, member.Name), CryptoPath: "/tmp/msp", Peers: []string{}}
	for _, node := range record.Nodes {
		host := v1alpha1.NodeHost(node.Name, plan.Spec.Consortium)
		entry := profileNode{
			URL:         fmt.Sprintf("grpcs://%s:%d", host, node.Port),
			GRPCOptions: map[string]any{"ssl-target-name-override": host, "hostnameOverride": host, "allow-insecure": false},
			TLSCACerts:  profilePEM{PEM: strings.Join(record.TLSRoots, "")},
		}
		if node.Role == v1alpha1.RolePeer {
			p.Peers[host] = entry
			organization.Peers = append(organization.Peers, host)
		} else {
			p.Orderers[host] = entry
		}
	}
	slices.Sort(organization.Peers)
	p.Organizations[member.Name] = organization
}

// profileChannelOf lists the Member's own peers only: an application asks these, and service discovery finds the other
// endorsers.
func profileChannelOf(plan *v1alpha1.MemberPlan, c v1alpha1.PlanChannel, records map[string]v1alpha1.Record) profileChannel {
	out := profileChannel{Peers: map[string]profileChannelPeer{}, Policies: profilePolicies{profileDiscovery{MaxTargets: 1}}}
	hosts := func(member string, role v1alpha1.NodeRole) []string {
		var names []string
		for _, node := range records[member].Nodes {
			if node.Role == role {
				names = append(names, v1alpha1.NodeHost(node.Name, plan.Spec.Consortium))
			}
		}
		return names
	}
	for _, member := range orderingMembers(plan, c) {
		out.Orderers = append(out.Orderers, hosts(member, v1alpha1.RoleOrderer)...)
	}
	for _, host := range hosts(plan.Spec.Member, v1alpha1.RolePeer) {
		out.Peers[host] = profileChannelPeer{EndorsingPeer: true, ChaincodeQuery: true, LedgerQuery: true, EventSource: true}
	}
	slices.Sort(out.Orderers)
	return out
}
