package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/pflag"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/hanse-io/hanse/member-agent/nodes"
)

// network are the flags for network policies. The lists are JSON, as NetworkPolicies have them.
type network struct {
	enabled                         bool
	applications, monitoring        []string
	ingress, egress, contractEgress string
}

func (n *network) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&n.enabled, "network-policy", true, "write network policies into the consortia's namespaces")
	f.StringArrayVar(&n.applications, "application-namespace", nil, "namespace whose pods may reach the nodes of every consortium, beside the namespaces that are labelled for one; may be repeated")
	f.StringArrayVar(&n.monitoring, "monitoring-namespace", nil, "namespace whose pods may reach the nodes' operations endpoints; may be repeated")
	f.StringVar(&n.ingress, "node-ingress", "", "further sources that may reach peers and orderers: JSON, a list of NetworkPolicyPeers")
	f.StringVar(&n.egress, "node-egress", "", "what peers and orderers may reach beside each other, the gateway and DNS: JSON, a list of NetworkPolicyEgressRules")
	f.StringVar(&n.contractEgress, "contract-egress", "", "what contracts may reach: JSON, a list of NetworkPolicyEgressRules; nothing when empty")
}

// rules converts the flags to nodes.Network.
func (n *network) rules() (nodes.Network, error) {
	r := nodes.Network{Disabled: !n.enabled, Applications: n.applications, Monitoring: n.monitoring}
	for _, list := range []struct {
		flag, value string
		into        any
	}{
		{"node-ingress", n.ingress, &r.Ingress},
		{"node-egress", n.egress, &r.Egress},
		{"contract-egress", n.contractEgress, &r.ContractEgress},
	} {
		if list.value == "" {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(list.value)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(list.into); err != nil {
			return r, fmt.Errorf("--%s: %w: give a JSON list as a NetworkPolicy's spec has it", list.flag, err)
		}
	}
	for i, peer := range r.Ingress {
		if peer == (networkingv1.NetworkPolicyPeer{}) {
			return r, fmt.Errorf("--node-ingress: source %d is empty: give it a podSelector, a namespaceSelector or an ipBlock", i)
		}
	}
	return r, nil
}
