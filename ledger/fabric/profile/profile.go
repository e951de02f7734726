// Package profile reads the connection profile that package fabric writes, and lays out the folder and the environment with
// which Fabric's own programs act as an organization. It is pure, and must import none of Fabric's libraries: the plugin links
// it.
package profile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/ledger"
)

// Tools are Fabric's.
type Tools struct{}

var _ ledger.Tools = Tools{}

type environment struct {
	// profile is Fabric's connection profile as it is, in JSON.
	profile []byte
	// member is the organization that the profile is for, and mspID its name on the ledger.
	member, mspID string
	// peer and orderer are addresses (host:port) of the first of the organization's own nodes; empty where it has none.
	peer, orderer string
	// tlsRoots is the PEM of the authority behind these nodes' certificates.
	tlsRoots string
}

// Member that the profile is for.
func (e environment) Member() string { return e.member }

// RunsNodes is whether it runs a peer or an orderer.
func (e environment) RunsNodes() bool { return e.peer != "" || e.orderer != "" }

// Environment takes out of a profile what is the organization's own.
func (Tools) Environment(profile []byte) (ledger.Environment, error) {
	type node struct {
		URL        string `json:"url"`
		TLSCACerts struct {
			PEM string `json:"pem"`
		} `json:"tlsCACerts"`
	}
	var p struct {
		Client struct {
			Organization string `json:"organization"`
		} `json:"client"`
		Organizations map[string]struct {
			MSPID string `json:"mspid"`
		} `json:"organizations"`
		Peers    map[string]node `json:"peers"`
		Orderers map[string]node `json:"orderers"`
	}
	out := environment{profile: profile}
	if err := json.Unmarshal(profile, &p); err != nil {
		return nil, err
	}
	own, known := p.Organizations[p.Client.Organization]
	if !known || own.MSPID == "" {
		return nil, fmt.Errorf("its client %q is none of its organizations", p.Client.Organization)
	}
	out.member, out.mspID = p.Client.Organization, own.MSPID
	first := func(nodes map[string]node) string {
		var hosts []string
		for host := range nodes {
			name, _, _ := strings.Cut(host, ".")
			if word, ok := strings.CutSuffix(name, "-"+out.member); ok && !strings.Contains(word, "-") {
				hosts = append(hosts, host)
			}
		}
		if len(hosts) == 0 {
			return ""
		}
		found := nodes[slices.Min(hosts)]
		out.tlsRoots = found.TLSCACerts.PEM
		return strings.TrimPrefix(found.URL, "grpcs://")
	}
	out.orderer, out.peer = first(p.Orderers), first(p.Peers)
	return out, nil
}
