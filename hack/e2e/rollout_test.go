//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/hack/harness"
)

const (
	declaredPeer = "docker.io/hyperledger/fabric-peer:3.1.4"
	// wrongPeer is an image that every organization allows for its nodes, that can be pulled, and that has no peer in it.
	wrongPeer = "docker.io/hyperledger/fabric-orderer:3.1.4"
)

// badNodeImage declares a peers' image that does not come up. One node is given it, transactions go on among the others,
// the consortium says which node failed, that node goes back by itself, and no other is ever touched.
func badNodeImage(t *testing.T, s *harness.Harness) {
	before := workloads(t, s)
	states := watchPlans(t, s)
	load := start(t, s, s.Members[1], "bad-image")
	load.goesOn(t, 1)
	declarePeers(t, s, wrongPeer, "60")
	var member, node string
	eventually(t, "one node is given it", func() error {
		got, err := tryGet(t, s, "host", "{.status.rollout.member} {.status.rollout.node}", "consortium", "trade")
		if _, err2 := fmt.Sscan(got, &member, &node); err == nil && err2 != nil {
			err = fmt.Errorf("the rollout is at %q", got)
		}
		return err
	})
	if member == s.Members[1] {
		t.Fatalf("the first is %s, whose own peer the transactions go through", node)
	}
	eventually(t, node+" does not come up", expects(t, s, "host", "false",
		fmt.Sprintf("{.status.nodes[?(@.name==%q)].ready}", node), "-n", "hanse-member-"+member, "memberplan", "trade"))
	load.goesOn(t, 2)
	eventually(t, "the consortium says so", func() error {
		got, err := tryGet(t, s, "host", `{.status.conditions[?(@.type=="RolledOut")]['status','reason','message']}`, "consortium", "trade")
		if err == nil && (!strings.HasPrefix(got, "False RolloutFailed ") || !strings.Contains(got, node+" did not become ready") || !strings.Contains(got, wrongPeer)) {
			err = fmt.Errorf("RolledOut: %s", got)
		}
		return err
	})
	t.Log(get(t, s, "host", `{.status.conditions[?(@.type=="RolledOut")].message}`, "consortium", "trade"))
	eventually(t, node+" goes back by itself, and works", func() error {
		if err := expects(t, s, member, "1 1", "{.status.readyReplicas} {.status.updatedReplicas}", "-n", "hanse-trade", "statefulset", node)(); err != nil {
			return err
		}
		for organization, now := range workloads(t, s) {
			if now != before[organization] {
				return fmt.Errorf("%s runs\n%s\nand ran\n%s", organization, now, before[organization])
			}
		}
		return nil
	})
	load.goesOn(t, 1)
	declarePeers(t, s, declaredPeer, "null")
	eventually(t, "with the old image declared the consortium is ready", isReady(t, s, "consortium", "trade"))
	var given []string
	replay(t, states(), func(nodes map[string]plannedNode) {
		for name, n := range nodes {
			if strings.HasPrefix(name, "peer") && n.image == wrongPeer && !slices.Contains(given, name) {
				given = append(given, name)
			}
		}
	})
	if !slices.Equal(given, []string{node}) {
		t.Errorf("%v were given the image, and only %s should have been", given, node)
	}
}

// goodNodeImage declares the image that the peers run under another name, by its digest, so that each of them is started
// anew: one after the other, over all organizations, while transactions go on through the others.
func goodNodeImage(t *testing.T, s *harness.Harness) {
	id := get(t, s, s.Members[0], "{.status.containerStatuses[0].imageID}", "-n", "hanse-trade", "pod", "peer0-"+s.Members[0]+"-0")
	if !pinnedImage.MatchString(id) {
		t.Fatalf("the peer's image is known by no digest: %q", id)
	}
	_, digest, _ := strings.Cut(id, "@")
	good := declaredPeer + "@" + digest
	states := watchPlans(t, s)
	loads := map[string]*traffic{}
	for _, member := range s.Members[:2] {
		loads[member] = start(t, s, member, "good-image-"+member)
	}
	for _, load := range loads {
		load.goesOn(t, 1)
	}
	declarePeers(t, s, good, "null")
	began, seen := time.Now(), ""
	eventually(t, "every peer has it", func() error {
		got, err := tryGet(t, s, "host", `{.status.rollout.member} {.status.rollout.node}`, "consortium", "trade")
		var member, node string
		if _, none := fmt.Sscan(got, &member, &node); err == nil && none == nil && node != seen {
			seen = node
			t.Logf("after %s: %s", time.Since(began).Round(time.Second), node)
			for from, load := range loads {
				if from != member {
					load.goesOn(t, 1)
				}
			}
		}
		if err != nil {
			return err
		}
		return isReady(t, s, "consortium", "trade")()
	})
	t.Logf("%s in all", time.Since(began).Round(time.Second))
	for member, load := range loads {
		load.goesOn(t, 1)
		load.end()
		t.Logf("%s: %d transactions, %d failed, last: %v", member, load.done.Load(), load.failed.Load(), load.lastError.Load())
	}
	oneByOne(t, states(), good)
}

// oneByOne checks in every state that the plans have been in that at most one node was between the images, and that in the
// last one every peer had the new one.
func oneByOne(t *testing.T, states []planState, image string) {
	t.Helper()
	old, left, works := 0, []string(nil), map[string]bool{}
	replay(t, states, func(nodes map[string]plannedNode) {
		var between []string
		left = nil
		for name, n := range nodes {
			switch {
			case !strings.HasPrefix(name, "peer"):
			case n.image != image:
				left = append(left, name)
			case works[name]: // and has been seen to, whatever its probes say under load
			case n.ready && n.runs == image:
				works[name] = true
			default:
				between = append(between, name)
			}
		}
		if len(between) > 1 {
			slices.Sort(between)
			t.Errorf("changed together: %v", between)
		}
		old = max(old, len(left))
	})
	if old < 2 || len(left) > 0 {
		t.Errorf("of %d peers with the old image that were seen, %v have it still", old, left)
	}
}

// declarePeers declares the peers' image, and how many seconds a node has to come up with it.
func declarePeers(t *testing.T, s *harness.Harness, image, deadline string) {
	t.Helper()
	patch := fmt.Sprintf(`{"spec":{"progressDeadlineSeconds":%s,"ledger":{"fabric":{"peerImage":%q}}}}`, deadline, image)
	must2(t)(s.Kubectl(t.Context(), "host", "patch", "consortium", "trade", "--type=merge", "-p", patch))
}

// plannedNode is what a node is to run, and what its agent says of it.
type plannedNode struct {
	image, runs string
	ready       bool
}

// planState is one state of a plan: what is planned for each node, and what its agent says of it.
type planState struct {
	Metadata struct{ Namespace string }
	Spec     struct {
		Nodes []struct{ Name, Image string }
	}
	Status struct {
		Nodes []struct {
			Name, Image string
			Ready       bool
		}
	}
}

// watchPlans follows the consortium's plans on the host, and gives every state that they have been in, in the order in
// which the API server has had them, once it is asked to.
func watchPlans(t *testing.T, s *harness.Harness) func() []planState {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	seen := make(chan string, 1)
	go func() {
		out, _ := s.Kubectl(ctx, "host", "get", "memberplans", "-A", "--field-selector=metadata.name=trade", "--watch", "-o", "json")
		seen <- out
	}()
	return func() []planState {
		cancel()
		var states []planState
		for decoder := json.NewDecoder(strings.NewReader(<-seen)); ; {
			var state planState
			if decoder.Decode(&state) != nil {
				return states // the watch was ended within it
			}
			states = append(states, state)
		}
	}
}

// replay shows all nodes as they were at each state, from the first at which all plans were seen.
func replay(t *testing.T, states []planState, at func(map[string]plannedNode)) {
	t.Helper()
	plans, nodes := map[string]bool{}, map[string]plannedNode{}
	for _, state := range states {
		plans[state.Metadata.Namespace] = true
		for _, planned := range state.Spec.Nodes {
			n := plannedNode{image: planned.Image}
			for _, reported := range state.Status.Nodes {
				if reported.Name == planned.Name {
					n.runs, n.ready = reported.Image, reported.Ready
				}
			}
			nodes[planned.Name] = n
		}
		if len(plans) == 3 {
			at(nodes)
		}
	}
	if len(plans) != 3 {
		t.Fatalf("the watch has seen the plans in %v, and proves nothing: %d states", plans, len(states))
	}
}
