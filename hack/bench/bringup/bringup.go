package bringup

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/bench/figures"
	"github.com/hanse-io/hanse/hack/harness"
)

// limit bounds one bring-up.
const limit = 4 * time.Minute

// Measure brings a consortium up so many times on a testbed of its own, one after the other, and takes the testbed down.
// baseline is how long the same takes without Kubernetes, zero if nobody knows.
func Measure(ctx context.Context, s *harness.Harness, runs int, baseline float64, set *figures.Set) (err error) {
	defer func() {
		// Also after an interrupt nothing is to be left.
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		if failed := s.Down(down); err == nil {
			err = failed
		}
	}()
	for _, step := range []func(context.Context) error{s.Boot, s.Images, s.InstallHost, s.InstallMembers, s.Lines, s.WaitOnline} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for _, phase := range s.Took {
		set.Plain("testbed: "+phase.Name, "s", phase.Seconds)
	}
	var whole []float64
	steps := map[string][]float64{}
	for n := range runs {
		took, err := once(ctx, s, fmt.Sprintf("bench%d", n+1), n+1 < runs)
		if err != nil {
			return err
		}
		for name, seconds := range took {
			steps[name] = append(steps[name], seconds)
		}
		whole = append(whole, steps[firstTransaction][n])
	}
	for _, name := range milestones {
		set.Plain("bring-up: "+name+", after", "s", steps[name]...)
	}
	if baseline > 0 {
		set.AtMost("bring-up to the first transaction", "s", aim*baseline, whole...)
		set.AtMost("bring-up beside the same without Kubernetes", "times", aim, figures.Median(whole)/baseline)
	}
	memory(ctx, s, set)
	return nil
}

// aim is how many times as long as the same without Kubernetes a bring-up may take.
const aim = 2.5

const firstTransaction = "first transaction committed"

// milestones in their usual order. Most are conditions of the Members' plans, reached when the last Member has.
var milestones = []string{
	planned, v1alpha1.PlanIdentitiesReady, v1alpha1.PlanNodesReady, v1alpha1.PlanDiscovered, v1alpha1.PlanLinesReady,
	v1alpha1.PlanChannelsReady, v1alpha1.PlanContractsReady, ready, firstTransaction,
}

// once declares a consortium, waits until it is ready, and commits a transaction. The result is the seconds since the
// beginning at which each milestone was reached.
func once(ctx context.Context, s *harness.Harness, name string, clear bool) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w, err := newWatcher(s, name)
	if err != nil {
		return nil, err
	}
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	defer w.stop()
	began := time.Now()
	if err := s.Apply(ctx, "host", manifests(s, name)); err != nil {
		return nil, err
	}
	if err := w.wait(ctx); err != nil {
		return nil, err
	}
	if err := transact(ctx, s, name); err != nil {
		return nil, err
	}
	took := map[string]float64{firstTransaction: time.Since(began).Seconds()}
	for milestone, at := range w.reached() {
		took[milestone] = at.Sub(began).Seconds()
	}
	fmt.Fprintf(s.Out, "   %s: %.1f s to the first transaction\n", name, took[firstTransaction])
	if !clear {
		return took, nil
	}
	_, err = s.Kubectl(ctx, "host", "delete", "contract,channel,consortium", "--selector", "bench="+name, "--timeout=120s")
	return took, err
}

func manifests(s *harness.Harness, name string) string {
	var list []string
	for i, member := range s.Members {
		role := v1alpha1.RoleParticipant
		if i == 0 {
			role = v1alpha1.RoleLeader
		}
		list = append(list, fmt.Sprintf("{name: %s, role: %s}", member, role))
	}
	head := "apiVersion: " + v1alpha1.GroupVersion.String() + "\nmetadata: {name: " + name + ", namespace: default, labels: {bench: " + name + "}}\n"
	return head + "kind: Consortium\nspec: {members: [" + strings.Join(list, ", ") + "]}\n---\n" +
		head + "kind: Channel\nspec: {consortium: " + name + "}\n---\n" +
		head + "kind: Contract\nspec: {channel: " + name + ", template: notary}\n"
}

// transact commits the first transaction as a user would, trying again until it works.
func transact(ctx context.Context, s *harness.Harness, name string) error {
	for {
		_, err := s.Hanse(ctx, "org1", "invoke", "--consortium", name, "--channel", name, "--contract", name,
			"Put", "first", harness.Digest("first"), "sha256", "{}")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no transaction was committed: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

var workingSet = regexp.MustCompile(`(?m)^container_memory_working_set_bytes\{container="(agent|gateway)",namespace="hanse-system",[^}]*\} (\S+)`)

// memory asks a member's kubelet for what the agent and the gateway take, page cache in use included. A kubelet that
// does not tell costs one figure, and not the others.
func memory(ctx context.Context, s *harness.Harness, set *figures.Set) {
	node, err := s.Kubectl(ctx, "org1", "get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	if err != nil {
		set.Note("no figure of memory in a real cluster: %v", err)
		return
	}
	text, err := s.Kubectl(ctx, "org1", "get", "--raw", "/api/v1/nodes/"+strings.TrimSpace(node)+"/proxy/metrics/resource")
	if err != nil {
		set.Note("no figure of memory in a real cluster: %v", err)
		return
	}
	for _, found := range workingSet.FindAllStringSubmatch(text, -1) {
		if bytes, err := strconv.ParseFloat(found[2], 64); err == nil {
			set.Plain(found[1]+" working set in a real cluster, 1 consortium", "MB", bytes/1e6)
		}
	}
}
