package main

import (
	"fmt"
	"strings"
)

// render makes the nft rules, which replace those before them in one step. Packets that belong to an accepted connection
// pass; a new one has to be allowed by its source's egress and by its destination's ingress. Rules see addresses after a
// Service's has been resolved. What leaves the node itself, such as the kubelet's probes, is never filtered; what a pod
// sends to the node is, by its egress.
func render(pods []isolation) string {
	var chains, egress, ingress strings.Builder
	for _, pod := range pods {
		if pod.egress != nil {
			fmt.Fprintf(&egress, "    ip saddr %[1]s jump egress-%[1]s\n", pod.address)
			chain(&chains, "egress-"+pod.address, "daddr", pod.egress)
		}
		if pod.ingress != nil {
			fmt.Fprintf(&ingress, "    ip daddr %[1]s jump ingress-%[1]s\n", pod.address)
			chain(&chains, "ingress-"+pod.address, "saddr", pod.ingress)
		}
	}
	return fmt.Sprintf(`table inet network-policy
delete table inet network-policy
table inet network-policy {
%[1]s  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
%[2]s%[3]s  }
  chain input {
    type filter hook input priority filter; policy accept;
    ct state established,related accept
%[2]s  }
}
`, chains.String(), egress.String(), ingress.String())
}

// chain renders what one pod may exchange in one direction. other is the packet's field that holds the other side.
func chain(out *strings.Builder, name, other string, allowed *allowance) {
	fmt.Fprintf(out, "  chain %s {\n", name)
	address := name[strings.LastIndex(name, "-")+1:]
	fmt.Fprintf(out, "    ip %s %s return\n", other, address) // a pod always reaches itself
	for _, r := range allowed.rules {
		for _, from := range sources(other, r.peers) {
			for _, to := range destinations(r.ports) {
				fmt.Fprintf(out, "    %s\n", strings.Join(strings.Fields(from+" "+to+" return"), " "))
			}
		}
	}
	out.WriteString("    drop\n  }\n")
}

func sources(field string, blocks []block) []string {
	if len(blocks) == 0 {
		return []string{""}
	}
	var matches []string
	for _, b := range blocks {
		match := fmt.Sprintf("ip %s %s", field, b.cidr)
		if len(b.except) > 0 {
			match += fmt.Sprintf(" ip %s != { %s }", field, strings.Join(b.except, ", "))
		}
		matches = append(matches, match)
	}
	return matches
}

func destinations(ports []portRange) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var matches []string
	for _, p := range ports {
		switch {
		case p.first == 0:
			matches = append(matches, "meta l4proto "+p.protocol)
		case p.first == p.last:
			matches = append(matches, fmt.Sprintf("%s dport %d", p.protocol, p.first))
		default:
			matches = append(matches, fmt.Sprintf("%s dport %d-%d", p.protocol, p.first, p.last))
		}
	}
	return matches
}
