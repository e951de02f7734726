// Package routing is what an organization's agent and its gateways tell each other: the routes that the agent computes and
// writes, the reports that the gateways write and how they are merged, the names of the objects that hold them, and which
// addresses a line may lead to. It must know neither of the two.
package routing

import (
	"encoding/json"
	"fmt"
)

// Names of the objects by which the agent and the gateway exchange routes and reports.
const (
	// RoutesConfigMap holds the Routes that the agent writes, under RoutesKey.
	RoutesConfigMap = "hanse-routes"
	RoutesKey       = "routes.json"
	// ReportConfigMap holds a Report of each gateway, under its ReportKey.
	ReportConfigMap = "hanse-lines"
	// FieldManager is the gateway's name in server-side apply.
	FieldManager = "hanse-gateway"
)

// Routes are a gateway's routes: which names are served here, which member serves the others, and the lines to it.
type Routes struct {
	// Member that the gateway belongs to.
	Member string `json:"member"`
	// Local maps a server name to the address in this cluster that serves it.
	Local map[string]string `json:"local"`
	// Remote maps a server name to the member that serves it.
	Remote map[string]string `json:"remote"`
	// Lines that begin here, sorted by name.
	Lines []Line `json:"lines"`
	// Roots are the pinned root certificates in PEM, by member. They certify gateways and agents.
	Roots map[string]string `json:"roots"`
	// Own are the cluster's own networks, as CIDRs, which are not dialed: services, pods and nodes.
	Own []string `json:"own,omitempty"`
	// Problems are messages about what was left out, and how to fix it; sorted.
	Problems []string `json:"problems,omitempty"`
}

// Line is a line from here to another member.
type Line struct {
	Name string `json:"name"`
	// Member at the far end.
	Member string `json:"member"`
	// Address and Port of the far end: an IP address, or a DNS name that is taken as absolute.
	Address string `json:"address"`
	Port    int32  `json:"port"`
	// Priority: the healthy line with the lowest number carries the traffic.
	Priority int32 `json:"priority"`
	// Problem says why the line is not to be dialed; empty if it is.
	Problem string `json:"problem,omitempty"`
}

// JSON is the stable text of the routes: equal routes have equal text.
func (r Routes) JSON() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the routes as JSON: %w", err)
	}
	return text, nil
}

// ParseRoutes reads what JSON wrote.
func ParseRoutes(text []byte) (Routes, error) {
	var r Routes
	if err := json.Unmarshal(text, &r); err != nil {
		return Routes{}, fmt.Errorf("read %s: %w: it is written by the member agent and not to be edited; delete it and the agent writes it anew", RoutesKey, err)
	}
	if r.Member == "" {
		return Routes{}, fmt.Errorf("read %s: it names no member: it is written by the member agent and not to be edited; delete it and the agent writes it anew", RoutesKey)
	}
	return r, nil
}
