//go:build integration

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// clusters fake what happens to images in the Members' clusters.
type clusters struct {
	mu sync.Mutex
	// broken images never come up; disallowed are those that an organization does not allow, as "member image".
	broken, disallowed map[string]bool
}

func (c *clusters) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// report is an agent's report of its plan.
func (c *clusters) report(p *v1alpha1.MemberPlan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := map[string]v1alpha1.PlanNodeStatus{}
	for _, n := range p.Status.Nodes {
		before[n.Name] = n
	}
	ready := metav1.Condition{Type: v1alpha1.PlanNodesReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady}
	reportDisallowed := func(image string) string {
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, v1alpha1.ReasonImageNotAllowed, p.Spec.Member+" does not allow "+image
		return ready.Message
	}
	if image := p.Spec.Ledger.Fabric.PeerImage; c.disallowed[p.Spec.Member+" "+image] {
		reportDisallowed(image)
	}
	p.Status.ObservedGeneration, p.Status.Nodes = p.Generation, nil
	for _, n := range p.Spec.Nodes {
		status := v1alpha1.PlanNodeStatus{Name: n.Name, Role: n.Role, Ready: true, Image: n.Image, StateDatabaseImage: n.StateDatabaseImage}
		switch {
		case c.disallowed[p.Spec.Member+" "+n.Image]:
			status = before[n.Name]
			status.Reason, status.Message = v1alpha1.ReasonImageNotAllowed, reportDisallowed(n.Image)
		case c.broken[n.Image]:
			status.Ready, status.Reason, status.Message = false, v1alpha1.ReasonFailed, "it ends again and again"
		}
		p.Status.Nodes = append(p.Status.Nodes, status)
	}
	meta.SetStatusCondition(&p.Status.Conditions, ready)
}

// history is every state that a Consortium's plans have had, in the order in which the API server has had them.
type history struct {
	mu     sync.Mutex
	states []*v1alpha1.MemberPlan
}

func watchHistory(t *testing.T, consortium string) *history {
	t.Helper()
	watcher, err := client.NewWithWatch(config, client.Options{Scheme: admin.Scheme()})
	must(t, err)
	events, err := watcher.Watch(ctx, &v1alpha1.MemberPlanList{}, client.MatchingLabels{v1alpha1.LabelConsortium: consortium})
	must(t, err)
	t.Cleanup(events.Stop)
	h := &history{}
	go func() {
		for event := range events.ResultChan() {
			if p, ok := event.Object.(*v1alpha1.MemberPlan); ok {
				h.mu.Lock()
				h.states = append(h.states, p)
				h.mu.Unlock()
			}
		}
	}()
	return h
}

// upTo waits until the history has arrived at the plans as they are now, and gives all of it.
func (h *history) upTo(t *testing.T, plans ...*v1alpha1.MemberPlan) []*v1alpha1.MemberPlan {
	t.Helper()
	var states []*v1alpha1.MemberPlan
	for _, p := range plans {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(p), p))
		eventually(t, "the watch of "+p.Namespace, func() error {
			h.mu.Lock()
			defer h.mu.Unlock()
			states = slices.Clone(h.states)
			if !slices.ContainsFunc(states, func(s *v1alpha1.MemberPlan) bool { return s.UID == p.UID && s.ResourceVersion == p.ResourceVersion }) {
				return errors.New("it is behind")
			}
			return nil
		})
	}
	return states
}

// changedNodes are the nodes whose plans got an image, in order. It fails if a node got it before the previous one was
// ready with it.
func changedNodes(t *testing.T, states []*v1alpha1.MemberPlan, image string) []string {
	t.Helper()
	var order []string
	works := map[string]bool{}
	for _, p := range states {
		for _, n := range p.Status.Nodes {
			works[n.Name] = works[n.Name] || n.Ready && n.Image == image
		}
		for _, n := range p.Spec.Nodes {
			if n.Image != image || slices.Contains(order, n.Name) {
				continue
			}
			if last := len(order) - 1; last >= 0 && !works[order[last]] {
				t.Errorf("%s was given %s before %s worked with it", n.Name, image, order[last])
			}
			order = append(order, n.Name)
		}
	}
	return order
}

// TestRollout changes the image of a Consortium's peers repeatedly, and checks every state of the plans.
func TestRollout(t *testing.T) {
	const name = "roll"
	namespace := namespaced(t)
	c := &clusters{broken: map[string]bool{}, disallowed: map[string]bool{}}
	history := watchHistory(t, name)
	var plans []*v1alpha1.MemberPlan
	members := []string{"roll1", "roll2", "roll3"}
	declaration := "kind: Consortium\nmetadata: {name: roll}\nspec: {progressDeadlineSeconds: 10, members: [{name: roll1, role: Leader}, {name: roll2}, {name: roll3}]}"
	agents := map[string]*agent{}
	for _, member := range members {
		agents[member] = joined(t, member)
		plans = append(plans, planOf(member, name))
	}
	declare(t, namespace, declaration)
	for _, a := range agents {
		a.carryOut(t, name, c.report)
	}
	waitConsortium(t, namespace, name, v1alpha1.ConsortiumNodesReady, metav1.ConditionTrue, "6/6 nodes")
	all := []string{"peer0-roll1", "peer0-roll2", "peer0-roll3"}
	consortium := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	for _, row := range []struct {
		why, tag string
		prepare  func(image string)
		status   metav1.ConditionStatus
		reason   string
		says     []string
		given    []string
		has      string // the tag that every peer has in the end
	}{
		{"a good image reaches all, one by one", "good", nil, metav1.ConditionTrue, v1alpha1.ReasonReady, nil, all, "good"},
		{"one that does not come up stops at the first, which goes back", "bad", func(image string) { c.broken[image] = true },
			metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed, []string{"peer0-roll1 did not become ready", "it ends again and again", "goes back to", ":good"},
			all[:1], "good"},
		{"one that organizations do not allow reaches none, and they are named", "refused",
			func(image string) { c.disallowed["roll2 "+image], c.disallowed["roll3 "+image] = true, true },
			metav1.ConditionFalse, v1alpha1.ReasonImageNotAllowed, []string{"roll2 does not allow", "roll3 does not allow"}, nil, "good"},
		{"another one starts a new rollout, and reaches all", "better", nil, metav1.ConditionTrue, v1alpha1.ReasonReady, nil, all, "better"},
	} {
		t.Run(row.why, func(t *testing.T) {
			image := "docker.io/hyperledger/fabric-peer:" + row.tag
			if row.prepare != nil {
				c.set(func() { row.prepare(image) })
			}
			declarePeerImage(t, consortium, image)
			eventually(t, "the condition RolledOut", func() error { return rolledOut(consortium, row.status, row.reason, row.says) })
			waitPeers(t, plans, row.has)
			if got := changedNodes(t, history.upTo(t, plans...), image); !slices.Equal(got, row.given) {
				t.Errorf("given to %v, want %v", got, row.given)
			}
			if rollout := consortium.Status.Rollout; (rollout == nil) != (row.status == metav1.ConditionTrue) {
				t.Errorf("the rollout is %+v", rollout)
			}
		})
	}
	t.Run("one that comes to be allowed goes on by itself", func(t *testing.T) {
		image := "docker.io/hyperledger/fabric-peer:late"
		c.set(func() { c.disallowed["roll3 "+image] = true })
		declarePeerImage(t, consortium, image)
		waitConsortium(t, namespace, name, v1alpha1.ConsortiumRolledOut, metav1.ConditionFalse, "roll3 does not allow "+image)
		c.set(func() { delete(c.disallowed, "roll3 "+image) })
		waitConsortium(t, namespace, name, v1alpha1.ConsortiumRolledOut, metav1.ConditionTrue, "")
		if got := changedNodes(t, history.upTo(t, plans...), image); !slices.Equal(got, all) {
			t.Errorf("given to %v, want %v", got, all)
		}
	})
}

func declarePeerImage(t *testing.T, consortium *v1alpha1.Consortium, image string) {
	t.Helper()
	patch := fmt.Sprintf(`{"spec":{"ledger":{"fabric":{"peerImage":%q}}}}`, image)
	must(t, admin.Patch(ctx, consortium, client.RawPatch("application/merge-patch+json", []byte(patch))))
}

// rolledOut is whether the condition RolledOut is about what is declared, as it should be, and says all of some texts.
func rolledOut(consortium *v1alpha1.Consortium, status metav1.ConditionStatus, reason string, texts []string) error {
	if err := admin.Get(ctx, client.ObjectKeyFromObject(consortium), consortium); err != nil {
		return err
	}
	c := meta.FindStatusCondition(consortium.Status.Conditions, v1alpha1.ConsortiumRolledOut)
	if c == nil || c.ObservedGeneration != consortium.Generation || c.Status != status || c.Reason != reason {
		return fmt.Errorf("generation %d, RolledOut is %+v, want %s", consortium.Generation, c, reason)
	}
	for _, text := range texts {
		if !strings.Contains(c.Message, text) {
			return fmt.Errorf("it does not say %q: %s", text, c.Message)
		}
	}
	return nil
}

// waitPeers waits until the plans name an image's tag for every peer, and the agents say that the peers work with it.
func waitPeers(t *testing.T, plans []*v1alpha1.MemberPlan, tag string) {
	t.Helper()
	eventually(t, "every peer to have "+tag, func() error {
		for _, p := range plans {
			if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
				return err
			}
			for i, n := range p.Spec.Nodes {
				if n.Role == v1alpha1.RolePeer && (!strings.HasSuffix(n.Image, ":"+tag) || len(p.Status.Nodes) <= i || p.Status.Nodes[i].Image != n.Image || !p.Status.Nodes[i].Ready) {
					return fmt.Errorf("%s is to run %s, and its agent says %+v", n.Name, n.Image, p.Status.Nodes)
				}
			}
		}
		return nil
	})
}
