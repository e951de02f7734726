package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pod(namespace, name, address string, set map[string]string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: set}}
	p.Status.PodIP, p.Status.Phase = address, corev1.PodRunning
	p.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "grpc", ContainerPort: 7051, Protocol: corev1.ProtocolTCP}}}}
	return p
}

func selector(set map[string]string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: set}
}

// TestRender tries single policies on one pod, peer, of a namespace shop that holds a client too; a namespace other holds
// a outsider.
func TestRender(t *testing.T) {
	grpc, number, end := intstr.FromString("grpc"), intstr.FromInt32(8000), int32(8010)
	udp := corev1.ProtocolUDP
	in, out := networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress
	for _, row := range []struct {
		why  string
		spec networkingv1.NetworkPolicySpec
		want []string
		not  []string
	}{
		{"without rules nothing comes in, and everything may leave", networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{in}},
			[]string{"ip daddr 10.42.0.5 jump ingress-10.42.0.5", "drop"}, []string{"egress-"}},
		{"a pod selector alone is about the policy's own namespace", networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{in},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}},
		}, []string{"ip saddr 10.42.0.6/32 return"}, []string{"10.42.0.7"}},
		{"a namespace selector is about others", networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{in},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: selector(map[string]string{"team": "other"})}}}},
		}, []string{"ip saddr 10.42.0.7/32 return"}, []string{"10.42.0.6/32"}},
		{"both selectors of one peer have to match", networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{in},
			Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{
				NamespaceSelector: selector(map[string]string{"team": "other"}), PodSelector: selector(map[string]string{"app": "nobody"})}}}},
		}, []string{"drop"}, []string{"saddr 10.42.0.7"}},
		{"a rule whose peers match nobody lets nobody in", networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{in},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: selector(map[string]string{"app": "nobody"})}}}},
		}, []string{"drop"}, []string{"/32 return", "    return\n"}},
		{"a named port is the pod's own", networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{in},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{Ports: []networkingv1.NetworkPolicyPort{{Port: &grpc}}}},
		}, []string{"    tcp dport 7051 return"}, nil},
		{"a range of ports of another protocol", networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{out},
			Egress:      []networkingv1.NetworkPolicyEgressRule{{Ports: []networkingv1.NetworkPolicyPort{{Protocol: &udp, Port: &number, EndPort: &end}}}},
		}, []string{"    udp dport 8000-8010 return", "ip saddr 10.42.0.5 jump egress-10.42.0.5"}, []string{"ingress-"}},
		{"a block with exceptions", networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{out},
			Egress: []networkingv1.NetworkPolicyEgressRule{{To: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{
				CIDR: "10.0.0.0/8", Except: []string{"10.1.0.0/16", "10.2.0.0/16"}}}}}},
		}, []string{"ip daddr 10.0.0.0/8 ip daddr != { 10.1.0.0/16, 10.2.0.0/16 } return"}, nil},
	} {
		row.spec.PodSelector = *selector(map[string]string{"app": "peer"})
		c := cluster{
			namespaces: map[string]labels.Set{"shop": {"team": "shop"}, "other": {"team": "other"}},
			pods: []*corev1.Pod{
				pod("shop", "peer", "10.42.0.5", map[string]string{"app": "peer"}),
				pod("shop", "client", "10.42.0.6", map[string]string{"app": "client"}),
				pod("other", "outsider", "10.42.0.7", map[string]string{"app": "peer"}),
			},
			policies: []*networkingv1.NetworkPolicy{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}, Spec: row.spec}},
		}
		got := render(c.isolate())
		for _, want := range row.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", row.why, want, got)
			}
		}
		for _, not := range row.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q in\n%s", row.why, not, got)
			}
		}
	}
}

func TestNotFiltered(t *testing.T) {
	host, done := pod("shop", "host", "192.168.0.10", nil), pod("shop", "done", "10.42.0.8", nil)
	host.Spec.HostNetwork = true
	done.Status.Phase = corev1.PodSucceeded
	c := cluster{
		pods: []*corev1.Pod{host, done, pod("shop", "starting", "", nil)},
		policies: []*networkingv1.NetworkPolicy{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"},
			Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}}}},
	}
	if got := c.isolate(); len(got) != 0 {
		t.Errorf("pods of the node's own network, pods that have ended and pods without an address are filtered: %+v", got)
	}
}
