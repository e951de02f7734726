package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Network is an organization's configuration of the network policies in its consortia's namespaces.
type Network struct {
	// Disabled writes no network policies.
	Disabled bool
	// Applications and Monitoring are names of namespaces: of applications that may reach the nodes of every consortium,
	// beside those in namespaces that are labelled for one, and of what scrapes metrics.
	Applications, Monitoring []string
	// Ingress are further sources that may reach nodes as applications do.
	Ingress []networkingv1.NetworkPolicyPeer
	// Egress are further rules for nodes, and ContractEgress those for contracts, which reach nothing without.
	Egress, ContractEgress []networkingv1.NetworkPolicyEgressRule
}

// Names of the policies in a consortium's namespace.
const (
	policyDeny      = "hanse-default-deny"
	policyContracts = "hanse-contracts"
)

// policyOf is the name of the policy of a role's nodes.
func policyOf(r v1alpha1.NodeRole) string { return "hanse-" + roleName(r) + "s" }

// appName is the label by which pods of the chart are told apart.
const appName = "app.kubernetes.io/name"

// roleContract is the role of a contract's pods.
const roleContract = "contract"

// Policies deny all traffic but what the consortium's nodes need: other nodes of the organization, its agent and
// gateway, its applications and its monitoring. Other organizations are reached by the gateway only. The ports are
// those of pods, to which policies apply behind a Service.
func Policies(plan *v1alpha1.MemberPlan, description ledger.Description, agent Agent, n Network) []client.Object {
	gateway, itself := chartPod(agent, "gateway"), chartPod(agent, "member-agent")
	var nodes, holders []networkingv1.NetworkPolicyPeer
	egress := []networkingv1.NetworkPolicyEgressRule{dns()}
	for _, r := range description.Roles {
		pods := role(r.Name)
		nodes = append(nodes, pods)
		if r.Holds {
			holders = append(holders, pods)
		}
		egress = append(egress, networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{pods}, Ports: ports(r.Port)})
	}
	egress = append(egress, networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{gateway}, Ports: ports(v1alpha1.PortGatewayInside)})
	egress = append(egress, n.Egress...)
	clients := slices.Concat(nodes, []networkingv1.NetworkPolicyPeer{gateway, itself}, n.applications(plan.Spec.Consortium))

	policies := []client.Object{networkPolicy(plan, policyDeny, metav1.LabelSelector{}, nil, nil)}
	for _, r := range description.Roles {
		in := []networkingv1.NetworkPolicyIngressRule{{From: clients, Ports: ports(r.Port)}}
		if r.AgentPort != 0 {
			in = append(in, networkingv1.NetworkPolicyIngressRule{From: []networkingv1.NetworkPolicyPeer{itself}, Ports: ports(r.AgentPort)})
		}
		if r.MetricsPort != 0 {
			in = append(in, n.monitoring(r.MetricsPort)...)
		}
		out := slices.Clone(egress)
		if r.Holds {
			out = append(out, networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{contracts()}, Ports: ports(v1alpha1.PortContract)})
		}
		policies = append(policies, networkPolicy(plan, policyOf(r.Name), *role(r.Name).PodSelector, in, out))
	}
	contractEgress := n.ContractEgress
	if len(contractEgress) > 0 {
		contractEgress = slices.Concat([]networkingv1.NetworkPolicyEgressRule{dns()}, contractEgress)
	}
	var toContracts []networkingv1.NetworkPolicyIngressRule
	if len(holders) > 0 { // A rule without a source would let everybody in.
		toContracts = append(toContracts, networkingv1.NetworkPolicyIngressRule{From: holders, Ports: ports(v1alpha1.PortContract)})
	}
	return append(policies, networkPolicy(plan, policyContracts, *contracts().PodSelector, toContracts, contractEgress))
}

// networkPolicy governs both directions: what has no rule is denied.
func networkPolicy(plan *v1alpha1.MemberPlan, name string, pods metav1.LabelSelector, in []networkingv1.NetworkPolicyIngressRule, out []networkingv1.NetworkPolicyEgressRule) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: name, Labels: planLabels(plan)},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: pods, Ingress: in, Egress: out,
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		},
	}
}

// applications are the sources that an organization has named as its applications.
func (n Network) applications(consortium string) []networkingv1.NetworkPolicyPeer {
	from := []networkingv1.NetworkPolicyPeer{{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{v1alpha1.LabelApplication: consortium}},
	}}
	return slices.Concat(from, namespaces(n.Applications), n.Ingress)
}

func (n Network) monitoring(port int) []networkingv1.NetworkPolicyIngressRule {
	if len(n.Monitoring) == 0 {
		return nil
	}
	return []networkingv1.NetworkPolicyIngressRule{{From: namespaces(n.Monitoring), Ports: ports(port)}}
}

// namespaces are those of that name. A rule whose list of sources is empty would let everybody in, so that there is no
// peer for no name.
func namespaces(names []string) []networkingv1.NetworkPolicyPeer {
	var peers []networkingv1.NetworkPolicyPeer
	for _, name := range names {
		peers = append(peers, networkingv1.NetworkPolicyPeer{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: name}},
		})
	}
	return peers
}

func chartPod(agent Agent, name string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: agent.Namespace}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{appName: name}},
	}
}

func role(r v1alpha1.NodeRole) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{LabelRole: roleName(r)}}}
}

func contracts() networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{LabelRole: roleContract}}}
}

// dns allows the cluster's name servers: pods of any namespace, or a cache on the machine itself, which has a
// link-local address. Port 5353 is that of OpenShift's pods.
func dns() networkingv1.NetworkPolicyEgressRule {
	rule := networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{
		{NamespaceSelector: &metav1.LabelSelector{}},
		{IPBlock: &networkingv1.IPBlock{CIDR: "169.254.0.0/16"}},
	}}
	for _, port := range []int32{53, 5353} {
		for _, protocol := range []corev1.Protocol{corev1.ProtocolUDP, corev1.ProtocolTCP} {
			rule.Ports = append(rule.Ports, networkingv1.NetworkPolicyPort{Protocol: ptr.To(protocol), Port: ptr.To(intstr.FromInt32(port))})
		}
	}
	return rule
}

func ports(port int) []networkingv1.NetworkPolicyPort {
	return []networkingv1.NetworkPolicyPort{{Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(intstr.FromInt(port))}}
}

// policies applies the network policies, or deletes them where they are disabled: once per process, since nobody else
// creates them.
func (p *Phase) policies(ctx context.Context, plan *v1alpha1.MemberPlan) error {
	if !p.Network.Disabled {
		return p.applyEach(ctx, Policies(plan, p.Planners.Describe(plan), p.Agent, p.Network))
	}
	if _, done := p.policiesRemoved.Load(plan.Spec.Namespace); done {
		return nil
	}
	var failed []error
	for _, obj := range Policies(plan, p.Planners.Describe(plan), p.Agent, p.Network) {
		if err := p.Direct.Delete(ctx, obj); client.IgnoreNotFound(err) != nil {
			failed = append(failed, fmt.Errorf("delete NetworkPolicy %s: %w", obj.GetName(), err))
		}
	}
	if len(failed) == 0 {
		p.policiesRemoved.Store(plan.Spec.Namespace, true)
	}
	return errors.Join(failed...)
}
