package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// The types below are the connection profile that Fabric's SDKs read ("common connection profile", version 1.0.0).
// Only what they need is written: addresses, names and roots. There is nothing secret in it.

type document struct {
	Name          string                  `json:"name"`
	Version       string                  `json:"version"`
	Client        clientSection           `json:"client"`
	Channels      map[string]channel      `json:"channels,omitempty"`
	Organizations map[string]organization `json:"organizations"`
	Orderers      map[string]node         `json:"orderers,omitempty"`
	Peers         map[string]node         `json:"peers"`
}

type clientSection struct {
	Organization string     `json:"organization"`
	TLSCerts     tlsSection `json:"tlsCerts"`
}

type tlsSection struct {
	SystemCertPool bool `json:"systemCertPool"`
}

type channel struct {
	Orderers []string               `json:"orderers,omitempty"`
	Peers    map[string]channelPeer `json:"peers"`
	Policies policies               `json:"policies"`
}

// policies asks one peer at a time what the channel looks like: the SDK breaks off discovery calls that it makes side
// by side, on connections that it shares with others.
type policies struct {
	Discovery discoveryPolicy `json:"discovery"`
}

type discoveryPolicy struct {
	MaxTargets int `json:"maxTargets"`
}

type channelPeer struct {
	EndorsingPeer  bool `json:"endorsingPeer"`
	ChaincodeQuery bool `json:"chaincodeQuery"`
	LedgerQuery    bool `json:"ledgerQuery"`
	EventSource    bool `json:"eventSource"`
}

type organization struct {
	MSPID      string   `json:"mspid"`
	CryptoPath string   `json:"cryptoPath"`
	Peers      []string `json:"peers"`
}

type node struct {
	URL         string         `json:"url"`
	GRPCOptions map[string]any `json:"grpcOptions"`
	TLSCACerts  pemSection     `json:"tlsCACerts"`
}

type pemSection struct {
	PEM string `json:"pem"`
}

// Facts are what a profile is made of: a Member's plan and the records of all Members, by name.
type Facts struct {
	Plan    v1alpha1.MemberPlan
	Records map[string]v1alpha1.Record
}

// build makes the profile of the plan's Member. Pure. It fails if a Member of one of the channels has not published
// its roots.
func build(facts Facts) (document, error) {
	plan := facts.Plan.Spec
	d := document{
		Name: plan.Consortium, Version: "1.0.0",
		Client:   clientSection{Organization: plan.Member},
		Channels: map[string]channel{}, Organizations: map[string]organization{},
		Orderers: map[string]node{}, Peers: map[string]node{},
	}
	for _, member := range plan.Members {
		record, known := facts.Records[member.Name]
		if !known || len(record.TLSRoots) == 0 {
			return d, fmt.Errorf("%s has not published its TLS roots yet: `kubectl hanse status %s` tells what it waits for", member.Name, plan.Consortium)
		}
		org := organization{MSPID: v1alpha1.MSPID(member.Name), CryptoPath: "/tmp/msp", Peers: []string{}}
		for _, n := range member.Nodes {
			host := v1alpha1.NodeHost(n.Name, plan.Consortium)
			entry := node{
				URL:         fmt.Sprintf("grpcs://%s:%d", host, n.Port),
				GRPCOptions: map[string]any{"ssl-target-name-override": host, "hostnameOverride": host, "allow-insecure": false},
				TLSCACerts:  pemSection{PEM: strings.Join(record.TLSRoots, "")},
			}
			if n.Role == v1alpha1.RolePeer {
				d.Peers[host] = entry
				org.Peers = append(org.Peers, host)
			} else {
				d.Orderers[host] = entry
			}
		}
		d.Organizations[member.Name] = org
	}
	for _, c := range plan.Channels {
		d.Channels[c.Name] = channelOf(plan, c)
	}
	return d, nil
}

// channelOf lists the Member's own peers only: it asks these, and service discovery finds the other endorsers.
func channelOf(plan v1alpha1.MemberPlanSpec, c v1alpha1.PlanChannel) channel {
	out := channel{Peers: map[string]channelPeer{}, Policies: policies{discoveryPolicy{MaxTargets: 1}}}
	for _, member := range plan.Members {
		for _, n := range member.Nodes {
			host := v1alpha1.NodeHost(n.Name, plan.Consortium)
			switch {
			case n.Role == v1alpha1.RoleOrderer:
				out.Orderers = append(out.Orderers, host)
			case member.Name == plan.Member:
				out.Peers[host] = channelPeer{EndorsingPeer: true, ChaincodeQuery: true, LedgerQuery: true, EventSource: true}
			}
		}
	}
	slices.Sort(out.Orderers)
	return out
}
