package plan

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// fullInput is an input with every pointer, slice and map of a plan set.
func fullInput() Input {
	in := writePlans(input(org("a", 2, 1), org("b", 1, 1), org("c", 1, 1)))
	resources := func() *corev1.ResourceRequirements {
		return &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
		}
	}
	nodes := &in.Consortium.Spec.Nodes
	nodes.PeerResources, nodes.OrdererResources, nodes.ExtraSANs = resources(), resources(), []string{"peers.example"}
	nodes.Storage.Size = ptr.To(resource.MustParse("7Gi"))
	in.Contracts[0].Spec.Resources = resources()
	in.Contracts[0].Spec.Endorsement = outOf(1, "a", "b")
	in.Channels[0].Spec.Batch = &v1alpha1.Batch{
		AbsoluteMaxBytes: ptr.To(resource.MustParse("4Mi")), PreferredMaxBytes: ptr.To(resource.MustParse("1Mi")),
		Timeout: &metav1.Duration{Duration: time.Second},
	}
	for name, p := range in.Plans {
		p.Status.Record, p.Status.Holdings = hashOf("facts of "+name), hashOf("blocks of "+name)
	}
	for _, p := range in.Plans {
		p.Spec.Channels[0].GenesisHash = hashOf("block")
	}
	in.Plans["a"].Status.Channels = []v1alpha1.PlanChannelStatus{{Name: "deals", Genesis: hashOf("statement"), GenesisHash: hashOf("block")}}
	return in
}

// collectPointers collects the addresses of a value's pointers, slices and maps, with their paths.
func collectPointers(v reflect.Value, path string, found map[uintptr]string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() || v.Kind() == reflect.Slice && v.Cap() == 0 {
			return
		}
		found[v.Pointer()] = path
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			collectPointers(v.Elem(), path, found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[time.Time]() { // which points at a zone that all share
				collectPointers(v.Field(i), path+"."+v.Type().Field(i).Name, found)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			collectPointers(v.Index(i), fmt.Sprintf("%s[%d]", path, i), found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collectPointers(v.MapIndex(key), fmt.Sprintf("%s[%v]", path, key), found)
		}
	}
}

// TestPlansShareNothing: plans share no memory with each other or with the input, which is the cache's.
func TestPlansShareNothing(t *testing.T) {
	in := fullInput()
	all := map[uintptr]string{}
	collectPointers(reflect.ValueOf(in), "input", all)
	if len(all) < 50 {
		t.Fatalf("the search has found %d pointers in the input only, and so proves nothing", len(all))
	}
	for member, spec := range Compute(in).Plans {
		own := map[uintptr]string{}
		collectPointers(reflect.ValueOf(&spec), member, own)
		for address, path := range own {
			if other, taken := all[address]; taken {
				t.Errorf("%s is the same memory as %s", path, other)
			}
			all[address] = path
		}
	}
}

// TestPlansAreWrittenConcurrently encodes and decodes the plans concurrently, as updates do; run it with the race detector.
func TestPlansAreWrittenConcurrently(t *testing.T) {
	in := fullInput()
	var group sync.WaitGroup
	for range 20 {
		for _, spec := range Compute(in).Plans {
			written := &v1alpha1.MemberPlan{Spec: spec}
			group.Go(func() {
				for range 20 {
					text, err := json.Marshal(written)
					if err != nil {
						t.Error(err)
						return
					}
					if err := json.Unmarshal(text, written); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	group.Wait()
}
