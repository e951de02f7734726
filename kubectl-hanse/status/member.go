package status

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/access"
)

// runMember shows one organization's own part, as its agent says it in the mirror of the plan: in that organization's
// cluster, host or no host.
func (o options) runMember(ctx context.Context, objects client.Client, consortium string, out io.Writer) error {
	if !o.watch && !o.wait {
		plan, err := readMirror(ctx, objects, o.agentNamespace, consortium)
		if err == nil {
			fmt.Fprint(out, memberTree(plan))
		}
		return err
	}
	timeout := o.timeout
	if o.watch {
		timeout = 1 << 62
	}
	screen := newScreen(out)
	err := wait.PollUntilContextTimeout(ctx, time.Second, timeout, true, func(ctx context.Context) (bool, error) {
		plan, err := readMirror(ctx, objects, o.agentNamespace, consortium)
		if err != nil {
			return false, err
		}
		top := memberTop(plan)
		screen.show(memberTree(plan), fmt.Sprintf("%s %s  %s", top.mark, top.name, top.text))
		return !o.watch && top.mark == done, nil
	})
	if wait.Interrupted(err) && ctx.Err() != nil && o.watch {
		return nil
	}
	if wait.Interrupted(err) {
		return fmt.Errorf("this organization's part of %s is not ready after %s; the tree above says what it waits for", consortium, o.timeout)
	}
	return err
}

func readMirror(ctx context.Context, objects client.Client, namespace, consortium string) (v1alpha1.MemberPlan, error) {
	var plan v1alpha1.MemberPlan
	err := objects.Get(ctx, types.NamespacedName{Namespace: namespace, Name: consortium}, &plan)
	switch {
	case meta.IsNoMatchError(err):
		return plan, access.NotHere(objects, "status", consortium)
	case apierrors.IsNotFound(err):
		return plan, noMirror(ctx, objects, namespace, consortium)
	}
	return plan, access.Explain("read the plan of "+consortium, err)
}

// noMirror says what there is instead of a plan.
func noMirror(ctx context.Context, objects client.Client, namespace, consortium string) error {
	var all v1alpha1.MemberPlanList
	if err := objects.List(ctx, &all, client.InNamespace(namespace)); err != nil {
		return access.Explain("list the plans in "+namespace, err)
	}
	var names []string
	for _, plan := range all.Items {
		names = append(names, plan.Name)
	}
	if len(names) == 0 {
		return fmt.Errorf("this organization has no plan in namespace %s: no consortium on the host names it yet, or its agent is not there or not registered: kubectl -n %s get pods,events", namespace, namespace)
	}
	return fmt.Errorf("this organization takes part in no consortium %s: it has %s", consortium, strings.Join(names, ", "))
}

// elsewhere says in which other namespaces of the host there is a consortium of that name.
func elsewhere(ctx context.Context, objects client.Client, namespace, name string) error {
	var all v1alpha1.ConsortiumList
	var others []string
	if err := objects.List(ctx, &all); err == nil {
		for _, c := range all.Items {
			if c.Name == name {
				others = append(others, c.Namespace)
			}
		}
	}
	if slices.Sort(others); len(others) > 0 {
		return fmt.Errorf("no consortium %s in namespace %s; there is one in %s: add -n %s", name, namespace, strings.Join(others, " and in "), others[0])
	}
	return fmt.Errorf("no consortium %s in namespace %s: `kubectl get consortia -A` lists them", name, namespace)
}

// phases are the conditions of a plan in the order in which the agent works, as people call them.
var phases = []struct{ condition, name string }{
	{v1alpha1.PlanTrusted, "trust"}, {v1alpha1.PlanIdentitiesReady, "identities"}, {v1alpha1.PlanNodesReady, "nodes"},
	{v1alpha1.PlanDiscovered, "discovery"}, {v1alpha1.PlanLinesReady, "lines"},
	{v1alpha1.PlanChannelsReady, "channels"}, {v1alpha1.PlanContractsReady, "contracts"}, {v1alpha1.PlanRetired, "retired"},
}

func memberTop(plan v1alpha1.MemberPlan) row {
	top := conditionRow(plan.Name, plan.Status.Conditions)
	if plan.Status.ObservedGeneration != plan.Generation && top.mark == done {
		top.mark, top.text = waiting, "a changed plan has come, and is not looked at yet"
	}
	return top
}

// memberTree draws one organization's own part. Pure.
func memberTree(plan v1alpha1.MemberPlan) string {
	top := memberTop(plan)
	children := map[string][]row{
		v1alpha1.PlanNodesReady: nodeRows(plan), v1alpha1.PlanChannelsReady: ownChannelRows(plan), v1alpha1.PlanContractsReady: ownContractRows(plan),
	}
	var rows []row
	for _, phase := range phases {
		if found := meta.FindStatusCondition(plan.Status.Conditions, phase.condition); found != nil {
			rows = append(rows, row{mark: mark(found.Status, found.Reason), name: phase.name, text: found.Message, children: children[phase.condition]})
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s   (as %s's own agent sees it)\n", top.mark, top.name, top.text, plan.Spec.Member)
	draw(&b, rows, "")
	return b.String()
}

func nodeRows(plan v1alpha1.MemberPlan) []row {
	var rows []row
	for _, node := range plan.Status.Nodes {
		rows = append(rows, stateRow(node.Name, node.Ready, node.Message))
	}
	return rows
}

func ownChannelRows(plan v1alpha1.MemberPlan) []row {
	var rows []row
	for _, c := range plan.Status.Channels {
		text := c.Message
		if text == "" {
			text = fmt.Sprintf("%d peers and %d orderers have joined, height %d", len(c.Peers), len(c.Orderers), c.Height)
		}
		rows = append(rows, stateRow(c.Name, c.Message == "", text))
	}
	return rows
}

func ownContractRows(plan v1alpha1.MemberPlan) []row {
	var rows []row
	for _, c := range plan.Status.Contracts {
		text := c.Message
		if text == "" {
			text = fmt.Sprintf("approved %d, committed %d", c.Approved, c.Committed)
		}
		rows = append(rows, stateRow(c.Channel+"/"+c.Name, c.Running && c.Message == "", text))
	}
	return rows
}

func stateRow(name string, ready bool, text string) row {
	if ready {
		return row{mark: done, name: name, text: text}
	}
	return row{mark: waiting, name: name, text: text}
}
