package nodes

import (
	"maps"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// pod is one end of a connection; home is the consortium's namespace.
type pod struct {
	namespace     string
	labels, space map[string]string
}

func podInConsortium(role string) pod {
	return podInNamespace("hanse-trade", map[string]string{LabelRole: role}, nil)
}

func podInNamespace(namespace string, labels, space map[string]string) pod {
	all := map[string]string{"kubernetes.io/metadata.name": namespace}
	maps.Copy(all, space)
	return pod{namespace, labels, all}
}

func matches(t *testing.T, s *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(labels.Set(set))
}

// isOneOf is Kubernetes' own meaning of a list of peers: an empty one is everybody.
func isOneOf(t *testing.T, home string, peers []networkingv1.NetworkPolicyPeer, other pod) bool {
	if len(peers) == 0 {
		return true
	}
	for _, p := range peers {
		if p.IPBlock != nil {
			continue
		}
		space := other.namespace == home
		if p.NamespaceSelector != nil {
			space = matches(t, p.NamespaceSelector, other.space)
		}
		if space && (p.PodSelector == nil || matches(t, p.PodSelector, other.labels)) {
			return true
		}
	}
	return false
}

func hasPort(ports []networkingv1.NetworkPolicyPort, port int) bool {
	for _, p := range ports {
		if p.Port.IntValue() == port {
			return true
		}
	}
	return len(ports) == 0
}

// allows says whether the policies let from reach to, which is one end's egress and the other end's ingress.
func allows(t *testing.T, n Network, from, to pod, port int) bool {
	t.Helper()
	const home = "hanse-trade"
	in, out := to.namespace != home, from.namespace != home
	for _, obj := range Policies(plan, planner.Planner{}.Description(), Agent{Namespace: "hanse-system"}, n) {
		policy := obj.(*networkingv1.NetworkPolicy)
		if to.namespace == home && matches(t, &policy.Spec.PodSelector, to.labels) {
			for _, rule := range policy.Spec.Ingress {
				in = in || (isOneOf(t, home, rule.From, from) && hasPort(rule.Ports, port))
			}
		}
		if from.namespace == home && matches(t, &policy.Spec.PodSelector, from.labels) {
			for _, rule := range policy.Spec.Egress {
				out = out || (isOneOf(t, home, rule.To, to) && hasPort(rule.Ports, port))
			}
		}
	}
	return in && out
}

func TestNetworkPolicies(t *testing.T) {
	chart := func(name string) pod { return podInNamespace("hanse-system", map[string]string{appName: name}, nil) }
	peer, orderer, contract := podInConsortium("peer"), podInConsortium("orderer"), podInConsortium("contract")
	outsider, shop := podInNamespace("default", nil, nil), podInNamespace("shop", nil, map[string]string{v1alpha1.LabelApplication: "trade"})
	elsewhere := podInNamespace("shop", nil, map[string]string{v1alpha1.LabelApplication: "fish"})
	prometheus, bank := podInNamespace("monitoring", nil, nil), podInNamespace("bank", nil, nil)
	names := podInNamespace("kube-system", map[string]string{"k8s-app": "kube-dns"}, nil)
	other := podInNamespace("hanse-fish", map[string]string{LabelRole: "peer"}, nil)
	open := Network{
		Applications: []string{"bank"}, Monitoring: []string{"monitoring"},
		ContractEgress: []networkingv1.NetworkPolicyEgressRule{{To: namespaces([]string{"bank"}), Ports: ports(8080)}},
	}
	for _, row := range []struct {
		why      string
		settings Network
		from, to pod
		port     int
		allowed  bool
	}{
		{"peers gossip with each other", Network{}, peer, peer, 7051, true},
		{"peers take blocks from orderers", Network{}, peer, orderer, 7050, true},
		{"peers call contracts", Network{}, peer, contract, 9999, true},
		{"nodes reach the other organizations by the gateway", Network{}, orderer, chart("gateway"), 8443, true},
		{"and the gateway reaches them", Network{}, chart("gateway"), peer, 7051, true},
		{"the agent reaches the orderers' administration", Network{}, chart("member-agent"), orderer, 7053, true},
		{"and no peer does", Network{}, peer, orderer, 7053, false},
		{"nor the gateway, which other organizations are behind", Network{}, chart("gateway"), orderer, 7053, false},
		{"nodes resolve names", Network{}, peer, names, 53, true},
		{"nodes reach nothing else", Network{}, peer, outsider, 443, false},
		{"a outsider reaches no peer", Network{}, outsider, peer, 7051, false},
		{"nor an orderer's operations", Network{}, outsider, orderer, 8443, false},
		{"nor a contract", Network{}, outsider, contract, 9999, false},
		{"the gateway reaches no contract", Network{}, chart("gateway"), contract, 9999, false},
		{"a contract reaches no other", Network{}, contract, contract, 9999, false},
		{"nor a peer, for it is called and does not call", Network{}, contract, peer, 7051, false},
		{"nor the gateway", Network{}, contract, chart("gateway"), 8443, false},
		{"nor anything that was not named, even by name", Network{}, contract, names, 53, false},
		{"another consortium's peers stay in theirs", Network{}, other, peer, 7051, false},
		{"an application in a namespace that is labelled for the consortium", Network{}, shop, peer, 7051, true},
		{"reaches orderers, as older clients do", Network{}, shop, orderer, 7050, true},
		{"and no administration", Network{}, shop, orderer, 7053, false},
		{"the label of another consortium opens nothing", Network{}, elsewhere, peer, 7051, false},
		{"metrics are nobody's without a setting", Network{}, prometheus, peer, 9443, false},
		{"what monitors reaches operations", open, prometheus, peer, 9443, true},
		{"and not the ledger", open, prometheus, peer, 7051, false},
		{"a namespace that the chart names", open, bank, peer, 7051, true},
		{"contracts reach what the chart lets them", open, contract, bank, 8080, true},
		{"with names, then", open, contract, names, 53, true},
		{"and peers do not", open, peer, bank, 8080, false},
	} {
		if got := allows(t, row.settings, row.from, row.to, row.port); got != row.allowed {
			t.Errorf("%s: %v", row.why, got)
		}
	}
}
