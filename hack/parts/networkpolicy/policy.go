package main

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// cluster is what the rules follow from.
type cluster struct {
	namespaces map[string]labels.Set
	pods       []*corev1.Pod
	policies   []*networkingv1.NetworkPolicy
}

// isolation is what one pod may exchange with others. A direction that is nil is not isolated: everything may pass.
type isolation struct {
	address         string
	ingress, egress *allowance
}

// allowance lists what may pass in one direction; nothing else does.
type allowance struct{ rules []rule }

// rule lets packets pass between the pod and peers, to ports. Empty peers mean everybody, empty ports every port.
type rule struct {
	peers []block
	ports []portRange
}

// block is a range of addresses without those that are excepted. All of it is in CIDR notation.
type block struct {
	cidr   string
	except []string
}

// portRange is a range of destination ports of one protocol; last equals first for a single one. first is 0 for all ports.
type portRange struct {
	protocol    string
	first, last int32
}

// isolate computes what every pod of the cluster may exchange, as the API's documentation of NetworkPolicy has it:
// https://kubernetes.io/docs/concepts/services-networking/network-policies/
func (c cluster) isolate() []isolation {
	var all []isolation
	for _, pod := range c.pods {
		if !filtered(pod) {
			continue
		}
		one := isolation{address: pod.Status.PodIP}
		for _, policy := range c.policies {
			if policy.Namespace != pod.Namespace || !matches(&policy.Spec.PodSelector, pod.Labels) {
				continue
			}
			if slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) {
				one.ingress = add(one.ingress, c.ingress(policy, pod))
			}
			if slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
				one.egress = add(one.egress, c.egress(policy))
			}
		}
		if one.ingress != nil || one.egress != nil {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b isolation) int { return strings.Compare(a.address, b.address) })
	return all
}

func add(to *allowance, rules []rule) *allowance {
	if to == nil {
		to = &allowance{}
	}
	to.rules = append(to.rules, rules...)
	return to
}

// filtered says whether a pod has a network of its own that is in use. Only IPv4 is looked at: clusters here have no other.
func filtered(pod *corev1.Pod) bool {
	address, err := netip.ParseAddr(pod.Status.PodIP)
	return err == nil && address.Is4() && !pod.Spec.HostNetwork &&
		pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

func (c cluster) ingress(policy *networkingv1.NetworkPolicy, pod *corev1.Pod) []rule {
	var rules []rule
	for _, allowed := range policy.Spec.Ingress {
		blocks, _ := c.peers(policy.Namespace, allowed.From)
		if ports, ok := portsOf(allowed.Ports, []*corev1.Pod{pod}); ok && (len(allowed.From) == 0 || len(blocks) > 0) {
			rules = append(rules, rule{peers: blocks, ports: ports})
		}
	}
	return rules
}

func (c cluster) egress(policy *networkingv1.NetworkPolicy) []rule {
	var rules []rule
	for _, allowed := range policy.Spec.Egress {
		blocks, pods := c.peers(policy.Namespace, allowed.To)
		if ports, ok := portsOf(allowed.Ports, pods); ok && (len(allowed.To) == 0 || len(blocks) > 0) {
			rules = append(rules, rule{peers: blocks, ports: ports})
		}
	}
	return rules
}

// peers resolves the other side of a rule to addresses, and to the pods that have them.
func (c cluster) peers(namespace string, peers []networkingv1.NetworkPolicyPeer) ([]block, []*corev1.Pod) {
	var blocks []block
	var pods []*corev1.Pod
	for _, peer := range peers {
		if peer.IPBlock != nil {
			blocks = append(blocks, block{cidr: peer.IPBlock.CIDR, except: peer.IPBlock.Except})
			continue
		}
		for _, pod := range c.pods {
			if filtered(pod) && c.selects(peer, namespace, pod) {
				pods = append(pods, pod)
				blocks = append(blocks, block{cidr: pod.Status.PodIP + "/32"})
			}
		}
	}
	return blocks, pods
}

func (c cluster) selects(peer networkingv1.NetworkPolicyPeer, namespace string, pod *corev1.Pod) bool {
	if peer.NamespaceSelector == nil {
		return pod.Namespace == namespace && matches(peer.PodSelector, pod.Labels)
	}
	own, ok := c.namespaces[pod.Namespace]
	return ok && matches(peer.NamespaceSelector, own) && (peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels))
}

// matches is whether a selector takes a set of labels; one that cannot be read takes none.
func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}

// portsOf resolves a rule's ports; names are those of the containers of pods. Not ok if the rule names ports and none of
// them exists, so that nothing passes by it.
func portsOf(ports []networkingv1.NetworkPolicyPort, pods []*corev1.Pod) ([]portRange, bool) {
	var ranges []portRange
	for _, port := range ports {
		protocol := corev1.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		one := portRange{protocol: strings.ToLower(string(protocol))}
		switch {
		case port.Port == nil:
			ranges = append(ranges, one)
		case port.Port.StrVal != "":
			for _, number := range named(port.Port.StrVal, protocol, pods) {
				ranges = append(ranges, portRange{protocol: one.protocol, first: number, last: number})
			}
		default:
			one.first, one.last = port.Port.IntVal, port.Port.IntVal
			if port.EndPort != nil {
				one.last = *port.EndPort
			}
			ranges = append(ranges, one)
		}
	}
	return ranges, len(ports) == 0 || len(ranges) > 0
}

// named are the numbers that pods have under a port's name.
func named(name string, protocol corev1.Protocol, pods []*corev1.Pod) []int32 {
	var numbers []int32
	for _, pod := range pods {
		for _, container := range pod.Spec.Containers {
			for _, port := range container.Ports {
				if port.Name == name && port.Protocol == protocol && !slices.Contains(numbers, port.ContainerPort) {
					numbers = append(numbers, port.ContainerPort)
				}
			}
		}
	}
	slices.Sort(numbers)
	return numbers
}
