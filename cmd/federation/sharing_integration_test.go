//go:build integration

package main

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// resourceful is a Consortium with resources on everything that can have them, so that every plan has many maps. The
// second Member has its own.
const resourceful = `kind: Consortium
metadata: {name: full}
spec:
  nodes:
    storage: {size: 1Gi}
    peerResources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: "1", memory: 1Gi}}
    ordererResources: {requests: {cpu: 50m, memory: 64Mi}, limits: {cpu: "1", memory: 1Gi}}
    extraSANs: [peers.example.com]
  members:
  - {name: full1, role: Leader, peers: 2}
  - {name: full2, peers: 2, nodes: {peerResources: {requests: {cpu: 7m}, limits: {memory: 7Gi}}, extraSANs: [full2.example.com]}}
  - {name: full3, peers: 2}
  - {name: full4, peers: 2}
`

// TestPlansAreWrittenConcurrently changes all plans of a Consortium at once, repeatedly, while each has many maps. Its
// plans are written in parallel, and every write decodes the API server's answer into what was written: under -race, this
// finds memory that two plans share with each other, or one with the cache.
func TestPlansAreWrittenConcurrently(t *testing.T) {
	const times = 12
	namespace := namespaced(t)
	members := []string{"full1", "full2", "full3", "full4"}
	for _, member := range members {
		a := joined(t, member)
		a.reportMember(t, func(s *v1alpha1.MemberStatus) { s.Root = "root of " + member })
	}
	declare(t, namespace, resourceful,
		"kind: Channel\nmetadata: {name: wide}\nspec: {consortium: full}",
		"kind: Contract\nmetadata: {name: wide}\nspec: {channel: wide, template: notary, resources: {requests: {cpu: 10m}, limits: {memory: 64Mi}}}")
	consortium := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "full"}}
	contract := &v1alpha1.Contract{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "wide"}}
	for i := range times {
		cpu := fmt.Sprintf("%dm", 200+i)
		nodes := fmt.Sprintf(`{"spec":{"nodes":{"peerResources":{"requests":{"cpu":%q}},"ordererResources":{"requests":{"cpu":%q}}}}}`, cpu, cpu)
		must(t, admin.Patch(ctx, consortium, client.RawPatch("application/merge-patch+json", []byte(nodes))))
		must(t, admin.Patch(ctx, contract, client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"resources":{"requests":{"cpu":%q}}}}`, cpu))))
		for _, member := range members {
			p := planOf(member, "full")
			eventually(t, "the plan of "+member+" to have "+cpu, func() error {
				if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
					return err
				}
				return hasResources(p, resource.MustParse(cpu))
			})
		}
	}
	waitConsortium(t, namespace, "full", v1alpha1.ConsortiumPlansWritten, metav1.ConditionTrue, "")
	one, other := planOf("full3", "full"), planOf("full4", "full")
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(one), one))
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(other), other))
	if !equality.Semantic.DeepEqual(one.Spec.Members, other.Spec.Members) || !equality.Semantic.DeepEqual(one.Spec.Contracts, other.Spec.Contracts) {
		t.Error("what is the same for all Members differs between two plans")
	}
}

// hasResources is whether a plan asks for as much CPU as was declared last, or for its Member's own amount.
func hasResources(p *v1alpha1.MemberPlan, cpu resource.Quantity) error {
	for _, n := range p.Spec.Nodes {
		want := cpu
		if n.Role == v1alpha1.RolePeer && p.Spec.Member == "full2" {
			want = resource.MustParse("7m")
		}
		if got := n.Resources.Requests.Cpu(); got.Cmp(want) != 0 {
			return fmt.Errorf("%s asks for %s, not %s", n.Name, got, &want)
		}
	}
	if len(p.Spec.Nodes) != 3 || len(p.Spec.Contracts) != 1 || p.Spec.Contracts[0].Resources.Requests.Cpu().Cmp(cpu) != 0 {
		return fmt.Errorf("%d nodes, contracts %+v", len(p.Spec.Nodes), p.Spec.Contracts)
	}
	return nil
}
