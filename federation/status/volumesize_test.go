package status

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

func TestVolumeSize(t *testing.T) {
	for _, c := range []struct {
		why      string
		declared string
		reported []string
		want     string
	}{
		{"nothing is reported yet: whatever is declared can be taken back", "20Gi", nil, ""},
		{"the largest of them counts", "20Gi", []string{"", "10Gi", "20Gi", "5Gi"}, "20Gi"},
		{"a size that no volume has got can be taken back", "20Gi", []string{"5Gi", "5Gi"}, "5Gi"},
		{"what a volume has beyond that was never declared", "5Gi", []string{"50Gi"}, "5Gi"},
	} {
		p := &v1alpha1.MemberPlan{}
		for _, size := range c.reported {
			node := v1alpha1.PlanNodeStatus{Name: "peer"}
			if size != "" {
				node.VolumeSize = ptr.To(resource.MustParse(size))
			}
			p.Status.Nodes = append(p.Status.Nodes, node)
		}
		in := plan.Input{
			Planner: planner.Planner{}, Plans: map[string]*v1alpha1.MemberPlan{"org1": p},
			Consortium: &v1alpha1.Consortium{Spec: v1alpha1.ConsortiumSpec{
				Members: []v1alpha1.ConsortiumMember{{Name: "org1"}},
				Nodes:   v1alpha1.NodeSettings{Storage: v1alpha1.Storage{Size: ptr.To(resource.MustParse(c.declared))}},
			}},
		}
		got := ""
		if size := volumeSize(in, "org1"); size != nil {
			got = size.String()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}
