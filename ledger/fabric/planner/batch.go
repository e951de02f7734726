package planner

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Batch fills in when orderers cut a block.
func (Planner) Batch(batch *v1alpha1.Batch) v1alpha1.Batch {
	b := ptr.Deref(batch, v1alpha1.Batch{})
	absolute := ptr.Deref(b.AbsoluteMaxBytes, resource.MustParse("10Mi"))
	preferred := resource.MustParse("2Mi")
	if preferred.Cmp(absolute) > 0 {
		preferred = absolute
	}
	preferred = ptr.Deref(b.PreferredMaxBytes, preferred)
	timeout := ptr.Deref(b.Timeout, metav1.Duration{Duration: 500 * time.Millisecond})
	return v1alpha1.Batch{
		MaxMessages:      cmp.Or(b.MaxMessages, 500),
		AbsoluteMaxBytes: &absolute, PreferredMaxBytes: &preferred, Timeout: &timeout,
	}
}

// CheckBatch says what is wrong with when a block is to be cut.
func (p Planner) CheckBatch(batch *v1alpha1.Batch) string {
	b := p.Batch(batch)
	switch {
	case b.AbsoluteMaxBytes.Sign() <= 0 || b.PreferredMaxBytes.Sign() <= 0:
		return "batch.absoluteMaxBytes and batch.preferredMaxBytes must be greater than 0: give a size such as 2Mi"
	case b.PreferredMaxBytes.Cmp(*b.AbsoluteMaxBytes) > 0:
		return "batch.preferredMaxBytes is larger than batch.absoluteMaxBytes, which no block may exceed: lower the one or raise the other"
	case b.Timeout.Duration <= 0:
		return "batch.timeout must be greater than 0: give a time such as 500ms"
	}
	return ""
}
