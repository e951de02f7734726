package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// rolloutFixture is a consortium whose nodes run, with agents that carry out their plans when report is called.
type rolloutFixture struct {
	t   *testing.T
	in  Input
	now time.Time
	// broken images and log levels never become ready.
	broken map[string]bool
	// disallowed are the images that organizations do not allow, as "member image"; unresponsive Members observe no plan.
	disallowed, unresponsive map[string]bool
	// changes are the nodes in the order in which their images were changed, as "node image".
	changes []string
}

func newRolloutFixture(t *testing.T, members ...v1alpha1.ConsortiumMember) *rolloutFixture {
	t.Helper()
	w := &rolloutFixture{t: t, in: input(members...), now: epoch, broken: map[string]bool{}, disallowed: map[string]bool{}, unresponsive: map[string]bool{}}
	for name := range w.in.Members {
		w.online(name, true)
	}
	w.declare("p1", "o1")
	w.step()
	w.changes = nil
	return w
}

// declare changes the images, and lets the agents observe the plans that name them before anything is decided.
func (w *rolloutFixture) declare(peer, orderer string) {
	w.in.Consortium.Spec.Ledger.Fabric = &v1alpha1.FabricSpec{PeerImage: peer, OrdererImage: orderer, CouchDBImage: "c1"}
	w.plan()
	w.report()
}

func (w *rolloutFixture) online(member string, is bool) {
	status := metav1.ConditionTrue
	if !is {
		status = metav1.ConditionUnknown
	}
	w.in.Members[member].Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.MemberOnline, Status: status, LastTransitionTime: metav1.NewTime(w.now),
	}}
}

// step runs the reporter, the reconciler and each agent once.
func (w *rolloutFixture) step() {
	w.decide()
	w.plan()
	w.report()
}

func (w *rolloutFixture) decide() { w.in.Consortium.Status.Rollout = NextRollout(w.in, w.now) }

func (w *rolloutFixture) plan() {
	before, specs := w.planned(), map[string]v1alpha1.MemberPlanSpec{}
	for name, p := range w.in.Plans {
		specs[name] = *p.Spec.DeepCopy()
	}
	writePlans(w.in)
	for name, p := range w.in.Plans {
		if !equality.Semantic.DeepEqual(p.Spec, specs[name]) {
			p.Generation++
		}
	}
	for node, image := range w.planned() {
		if before[node] != image {
			w.changes = append(w.changes, node+" "+image)
		}
	}
}

func (w *rolloutFixture) planned() map[string]string {
	images := map[string]string{}
	for _, p := range w.in.Plans {
		for _, n := range p.Spec.Nodes {
			images[n.Name] = strings.TrimSpace(n.Image + " " + string(n.LogLevel))
		}
	}
	return images
}

// report lets the online agents carry out their plans, as far as their organizations allow the images.
func (w *rolloutFixture) report() {
	for name, p := range w.in.Plans {
		if isOnline, _ := online(w.in.Members[name]); !isOnline || w.unresponsive[name] {
			continue
		}
		before := map[string]v1alpha1.PlanNodeStatus{}
		for _, n := range p.Status.Nodes {
			before[n.Name] = n
		}
		p.Status.ObservedGeneration, p.Status.Nodes, p.Status.Conditions = p.Generation, nil, nil
		if declared := p.Spec.Ledger.Fabric; w.disallowed[name+" "+declared.PeerImage] || w.disallowed[name+" "+declared.OrdererImage] {
			w.reportDisallowed(p, "does not allow "+declared.PeerImage+" or "+declared.OrdererImage)
		}
		for _, n := range p.Spec.Nodes {
			status := v1alpha1.PlanNodeStatus{
				Name: n.Name, Role: n.Role, Ready: !w.broken[n.Image] && !w.broken[string(n.LogLevel)],
				Image: n.Image, StateDatabaseImage: n.StateDatabaseImage, Settings: n.Template().Settings(),
			}
			switch {
			case w.disallowed[name+" "+n.Image]:
				status = before[n.Name]
				status.Reason, status.Message = v1alpha1.ReasonImageNotAllowed, name+" does not allow "+n.Image
				w.reportDisallowed(p, status.Message)
			case w.broken[string(n.LogLevel)]:
				status.Reason, status.Message = v1alpha1.ReasonFailed, "CrashLoopBackOff"
			case !status.Ready:
				status.Reason, status.Message = v1alpha1.ReasonImagePull, "the image "+n.Image+" cannot be pulled"
			}
			p.Status.Nodes = append(p.Status.Nodes, status)
		}
	}
}

func (w *rolloutFixture) reportDisallowed(p *v1alpha1.MemberPlan, message string) {
	p.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.PlanNodesReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonImageNotAllowed, Message: message,
	}}
}

// runUntilStable runs 50 steps, and checks at each that no more than one node is changed.
func (w *rolloutFixture) runUntilStable() {
	w.t.Helper()
	for range 50 {
		before := len(w.changes)
		w.step()
		if len(w.changes)-before > 1 {
			w.t.Fatalf("changed together: %v", w.changes[before:])
		}
		w.now = w.now.Add(time.Second)
	}
}

func threeMembers(t *testing.T) *rolloutFixture {
	return newRolloutFixture(t, org("a", 1, 1), org("b", 1, 1), org("c", 1, 1))
}

func TestNewConsortiumStartsAllAtOnce(t *testing.T) {
	w := threeMembers(t)
	for node, image := range w.planned() {
		if want := strings.ToLower(node[:1]) + "1"; image != want {
			t.Errorf("%s: %s, want %s", node, image, want)
		}
	}
	if w.in.Consortium.Status.Rollout != nil {
		t.Errorf("there is nothing to roll out: %+v", w.in.Consortium.Status.Rollout)
	}
}

func TestGoodImage(t *testing.T) {
	w := threeMembers(t)
	w.declare("p2", "o2")
	w.runUntilStable()
	want := []string{"orderer0-a o2", "orderer0-b o2", "orderer0-c o2", "peer0-a p2", "peer0-b p2", "peer0-c p2"}
	if !slices.Equal(w.changes, want) {
		t.Errorf("changed %v, want %v", w.changes, want)
	}
	if w.in.Consortium.Status.Rollout != nil {
		t.Errorf("it is over: %+v", w.in.Consortium.Status.Rollout)
	}
}

func TestStateDatabaseImage(t *testing.T) {
	w := threeMembers(t)
	w.in.Consortium.Spec.Nodes.StateDatabase = v1alpha1.StateCouchDB
	w.in.Plans = map[string]*v1alpha1.MemberPlan{}
	w.step()
	w.in.Consortium.Spec.Ledger.Fabric.CouchDBImage = "c2"
	w.plan()
	w.report()
	w.step()
	if r := w.in.Consortium.Status.Rollout; r == nil || r.Node != "peer0-a" || r.To.StateDatabaseImage != "c2" || r.From.StateDatabaseImage != "c1" {
		t.Fatalf("one peer first: %+v", r)
	}
	if _, _, what := RolledOut(w.in, w.in.Consortium.Status.Rollout); what != "image c2" {
		t.Errorf("the image that is rolled out is CouchDB's, not %q", what)
	}
	w.runUntilStable()
	for member, p := range w.in.Plans {
		if n := p.Spec.Nodes[1]; n.StateDatabaseImage != "c2" {
			t.Errorf("%s: %+v", member, n)
		}
	}
}

func TestFailedImageStopsRollout(t *testing.T) {
	w := threeMembers(t)
	w.broken["p2"] = true
	w.declare("p2", "o1")
	w.runUntilStable()
	if want := []string{"peer0-a p2"}; !slices.Equal(w.changes, want) {
		t.Fatalf("within its time only one node is changed: %v, want %v", w.changes, want)
	}
	w.now = epoch.Add(v1alpha1.DefaultProgressDeadlineSeconds*time.Second + 2*time.Second)
	w.runUntilStable()
	if want := []string{"peer0-a p2", "peer0-a p1"}; !slices.Equal(w.changes, want) {
		t.Fatalf("after that it goes back, and no other node is touched: %v, want %v", w.changes, want)
	}
	r := w.in.Consortium.Status.Rollout
	if r == nil || !r.Failed || r.Node != "peer0-a" || r.To.Image != "p2" || r.From.Image != "p1" || !strings.Contains(r.Message, "cannot be pulled") {
		t.Fatalf("the failure is remembered with what the agent said: %+v", r)
	}
	w.declare("p3", "o1")
	w.changes = nil
	w.runUntilStable()
	if want := []string{"peer0-a p3", "peer0-b p3", "peer0-c p3"}; !slices.Equal(w.changes, want) || w.in.Consortium.Status.Rollout != nil {
		t.Errorf("another image starts again: %v, want %v, %+v", w.changes, want, w.in.Consortium.Status.Rollout)
	}
}

func TestRolloutSteps(t *testing.T) {
	for _, c := range []struct {
		why     string
		members []v1alpha1.ConsortiumMember
		run     func(*rolloutFixture)
		changes []string
		says    string
	}{
		{"the old image, declared while the new one is rolled out, rolls the node back at once", nil, func(w *rolloutFixture) {
			w.broken["p2"] = true
			w.declare("p2", "o1")
			w.step()
			w.declare("p1", "o1")
		}, []string{"peer0-a p2", "peer0-a p1"}, ""},
		{"a third image goes to the interrupted node first, which is rolled back to the first image if that fails", nil, func(w *rolloutFixture) {
			w.broken["p2"], w.broken["p3"] = true, true
			w.declare("p2", "o1")
			w.step()
			w.declare("p3", "o1")
			w.step()
			w.now = w.now.Add(time.Hour)
		}, []string{"peer0-a p2", "peer0-a p3", "peer0-a p1"}, "cannot be pulled"},
		{"a member that is not online is changed when it is back", nil, func(w *rolloutFixture) {
			w.online("a", false)
			w.declare("p1", "o2")
			w.runUntilStable()
			w.online("a", true)
		}, []string{"orderer0-a o2", "orderer0-b o2", "orderer0-c o2"}, ""},
		{"too few orderers are left while one is not online", nil, func(w *rolloutFixture) {
			w.online("a", false)
			w.declare("p1", "o2")
		}, nil, "no contact with a"},
		{"of five orderers one may be offline", []v1alpha1.ConsortiumMember{org("a", 1, 1), org("b", 1, 2), org("c", 1, 2)}, func(w *rolloutFixture) {
			w.online("a", false)
			w.declare("p1", "o2")
		}, []string{"orderer0-b o2", "orderer1-b o2", "orderer0-c o2", "orderer1-c o2"}, "no contact with a"},
		{"an only orderer is changed too", []v1alpha1.ConsortiumMember{org("a", 1, 1), org("b", 1, 0)}, func(w *rolloutFixture) {
			w.declare("p1", "o2")
		}, []string{"orderer0-a o2"}, ""},
		{"an only orderer goes back too", []v1alpha1.ConsortiumMember{org("a", 1, 1), org("b", 1, 0)}, func(w *rolloutFixture) {
			w.broken["o2"] = true
			w.declare("p1", "o2")
			w.step()
			w.now = w.now.Add(time.Hour)
		}, []string{"orderer0-a o2", "orderer0-a o1"}, "cannot be pulled"},
		{"time spent offline does not count", nil, func(w *rolloutFixture) {
			w.broken["p2"] = true
			w.declare("p2", "o1")
			w.step()
			w.online("a", false)
			w.now = w.now.Add(time.Hour)
			w.step()
			w.online("a", true)
		}, []string{"peer0-a p2"}, "cannot be pulled"},
		{"a peer that is added during a rollout begins with the old image", nil, func(w *rolloutFixture) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.in.Consortium.Spec.Members[2].Peers = ptr.To[int32](2)
		}, []string{"peer0-a p2", "peer1-c p1", "peer0-b p2", "peer0-c p2", "peer1-c p2"}, ""},
		{"a peer that is added after a failure has what the others have", nil, func(w *rolloutFixture) {
			w.broken["p2"] = true
			w.declare("p2", "o1")
			w.step()
			w.now = w.now.Add(time.Hour)
			w.step()
			w.in.Consortium.Spec.Members[2].Peers = ptr.To[int32](2)
		}, []string{"peer0-a p2", "peer0-a p1", "peer1-c p1"}, "cannot be pulled"},
	} {
		t.Run(c.why, func(t *testing.T) {
			members := c.members
			if members == nil {
				members = []v1alpha1.ConsortiumMember{org("a", 1, 1), org("b", 1, 1), org("c", 1, 1)}
			}
			w := newRolloutFixture(t, members...)
			c.run(w)
			w.runUntilStable()
			if !slices.Equal(w.changes, c.changes) {
				t.Errorf("changed %q, want %q", w.changes, c.changes)
			}
			said := ""
			if r := w.in.Consortium.Status.Rollout; r != nil {
				said = r.Message
			}
			if !strings.Contains(said, c.says) || (c.says == "") != (w.in.Consortium.Status.Rollout == nil) {
				t.Errorf("says %q, want %q", said, c.says)
			}
		})
	}
}

func TestNoNodeReady(t *testing.T) {
	w := newRolloutFixture(t, org("a", 1, 1), org("b", 1, 1), org("c", 1, 1))
	w.broken["p1"], w.broken["o1"] = true, true
	w.report()
	w.declare("p2", "o2")
	w.step()
	if len(w.changes) != 6 {
		t.Errorf("nodes of which none works have nothing to lose, and are changed together: %v", w.changes)
	}
}

// TestPlansFollowRolloutStatus: the plans never run ahead of the status, so that an interruption loses nothing.
func TestPlansFollowRolloutStatus(t *testing.T) {
	w := threeMembers(t)
	w.declare("p2", "o1")
	w.plan()
	if len(w.changes) > 0 {
		t.Fatalf("nothing has been decided yet: %v", w.changes)
	}
	w.decide()
	w.plan()
	w.plan()
	if fmt.Sprint(w.changes) != "[peer0-a p2]" {
		t.Fatalf("one node was decided on: %v", w.changes)
	}
	// A late report that still speaks of the old image is no success.
	w.decide()
	if r := w.in.Consortium.Status.Rollout; r.Node != "peer0-a" || r.Failed {
		t.Fatalf("it is still at the first: %+v", r)
	}
}

func TestRolloutDeadline(t *testing.T) {
	w := threeMembers(t)
	w.in.Consortium.Spec.ProgressDeadlineSeconds = ptr.To[int32](60)
	w.declare("p2", "o1")
	w.decide()
	if at, ok := RolloutDeadline(w.in, w.in.Consortium.Status.Rollout); !ok || !at.Equal(epoch.Add(time.Minute)) {
		t.Errorf("at %s %v", at, ok)
	}
}
