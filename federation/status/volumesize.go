package status

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// volumeSize is the size of a Member's largest volume, below which none can be declared any more. A size that is declared and
// that no volume has got does not count, so that it can be taken back; nor does what a volume has beyond what is declared, or
// the status itself would be rejected.
func volumeSize(in plan.Input, member string) *resource.Quantity {
	reported := in.Plans[member]
	at := slices.IndexFunc(in.Consortium.Spec.Members, func(m v1alpha1.ConsortiumMember) bool { return m.Name == member })
	if reported == nil || at < 0 {
		return nil
	}
	var largest *resource.Quantity
	for _, n := range reported.Status.Nodes {
		if n.VolumeSize != nil && (largest == nil || n.VolumeSize.Cmp(*largest) > 0) {
			largest = n.VolumeSize
		}
	}
	if largest == nil {
		return nil
	}
	size := largest.DeepCopy()
	for _, n := range in.Planner.Nodes(in.Consortium, &in.Consortium.Spec.Members[at]) {
		if n.Storage.Size != nil && n.Storage.Size.Cmp(size) < 0 {
			size = n.Storage.Size.DeepCopy()
		}
	}
	return ptr.To(size)
}
