package snapshot

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TestMemberChanged: what Members report all the time must not have every Consortium of theirs computed anew.
func TestMemberChanged(t *testing.T) {
	base := func() *v1alpha1.Member {
		return &v1alpha1.Member{
			ObjectMeta: metav1.ObjectMeta{Name: "org1", ResourceVersion: "1"},
			Status: v1alpha1.MemberStatus{
				Root:         "pem",
				Registration: &v1alpha1.MemberRegistration{KeyFingerprint: "bb"},
				Conditions:   []metav1.Condition{{Type: v1alpha1.MemberOnline, Status: metav1.ConditionTrue, Message: "renewed"}},
				Lines:        []v1alpha1.LineReport{{Name: "l", Member: "org2", State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp}},
			},
		}
	}
	for _, c := range []struct {
		why    string
		change func(*v1alpha1.Member)
		passes bool
	}{
		{"nothing", func(*v1alpha1.Member) {}, false},
		{"another version of the same", func(m *v1alpha1.Member) { m.ResourceVersion = "2" }, false},
		{"a message, which changes with every renewal", func(m *v1alpha1.Member) { m.Status.Conditions[0].Message = "renewed again" }, false},
		{"a condition", func(m *v1alpha1.Member) { m.Status.Conditions[0].Status = metav1.ConditionUnknown }, true},
		{"a new condition", func(m *v1alpha1.Member) {
			m.Status.Conditions = append(m.Status.Conditions, metav1.Condition{Type: v1alpha1.MemberRegistered, Status: metav1.ConditionTrue})
		}, true},
		{"a root", func(m *v1alpha1.Member) { m.Status.Root = "another" }, true},
		{"a registration that is no more", func(m *v1alpha1.Member) { m.Status.Registration = nil }, true},
		{"another registered key", func(m *v1alpha1.Member) { m.Status.Registration.KeyFingerprint = "cc" }, true},
		{"a renewal for the same key", func(m *v1alpha1.Member) { m.Status.Registration.Issued = 7 }, false},
		{"how long a line has been as it is", func(m *v1alpha1.Member) { m.Status.Lines[0].Since = metav1.Unix(1, 0) }, false},
		{"a line's state, which its plans report where it matters", func(m *v1alpha1.Member) { m.Status.Lines[0].State = v1alpha1.LineDown }, false},
		{"a line that is no more", func(m *v1alpha1.Member) { m.Status.Lines = nil }, false},
		{"its deletion", func(m *v1alpha1.Member) { m.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }, true},
	} {
		t.Run(c.why, func(t *testing.T) {
			after := base()
			c.change(after)
			if got := memberChanged.Update(event.UpdateEvent{ObjectOld: base(), ObjectNew: after}); got != c.passes {
				t.Errorf("passes: %v", got)
			}
		})
	}
	for why, got := range map[string]bool{
		"a new Member":          memberChanged.Create(event.CreateEvent{Object: base()}),
		"a Member that is gone": memberChanged.Delete(event.DeleteEvent{Object: base()}),
	} {
		if !got {
			t.Errorf("%s does not pass", why)
		}
	}
}

// TestRolloutChanged: of its own statuses the host heeds the rollout alone, from which plans follow.
func TestRolloutChanged(t *testing.T) {
	base := func() *v1alpha1.Consortium {
		return &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Name: "trade", Generation: 1}}
	}
	for _, c := range []struct {
		why    string
		change func(*v1alpha1.Consortium)
		passes bool
	}{
		{"a status that the host has written itself", func(o *v1alpha1.Consortium) { o.Status.MembersSummary = "3/3" }, false},
		{"the specification", func(o *v1alpha1.Consortium) { o.Generation = 2 }, true},
		{"an annotation, by which somebody abandons it", func(o *v1alpha1.Consortium) {
			o.Annotations = map[string]string{v1alpha1.AnnotationAbandon: "true"}
		}, true},
		{"the next node's turn", func(o *v1alpha1.Consortium) { o.Status.Rollout = &v1alpha1.RolloutStatus{Node: "peer0-org1"} }, true},
	} {
		t.Run(c.why, func(t *testing.T) {
			after := base()
			c.change(after)
			if got := rolloutChanged.Update(event.UpdateEvent{ObjectOld: base(), ObjectNew: after}); got != c.passes {
				t.Errorf("passes: %v", got)
			}
		})
	}
}
