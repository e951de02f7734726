package status

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/watcher"
)

// runMember shows one organization's own part, as its agent says it in the mirror of the plan: in that organization's
// cluster, host or no host.
func (o options) runMember(ctx context.Context, objects client.WithWatch, consortium string, out, errOut io.Writer) error {
	// Read once in any case: it says best what there is instead, if there is no such plan.
	plan, err := readMirror(ctx, objects, objects, o.agentNamespace, consortium)
	if err != nil {
		return err
	}
	if !o.watch && !o.wait {
		return o.print(out, o.memberView(plan))
	}
	mirror := []watcher.Source{source("MemberPlan", o.agentNamespace, consortium, "read the plan of "+consortium)}
	render := func(ctx context.Context, reader client.Reader) (view, error) {
		plan, err := readMirror(ctx, objects, reader, o.agentNamespace, consortium)
		next := o.memberView(plan)
		next.sources = mirror
		return next, err
	}
	return o.follow(ctx, objects, "this organization's part of "+consortium, mirror, render, o.display(out, errOut))
}

func (o options) memberView(plan v1alpha1.MemberPlan) view {
	top := memberTop(plan)
	document := organizationDocument(plan)
	return view{
		tree: memberTree(plan, o.wide()), headline: fmt.Sprintf("%s %s  %s", top.mark, top.name, top.text), ready: top.mark == done,
		kind: "OrganizationStatus", document: &document,
	}
}

func readMirror(ctx context.Context, objects client.Client, reader client.Reader, namespace, consortium string) (v1alpha1.MemberPlan, error) {
	var plan v1alpha1.MemberPlan
	err := reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: consortium}, &plan)
	switch {
	case meta.IsNoMatchError(err):
		return plan, kube.NotHere(objects, "status", consortium)
	case apierrors.IsNotFound(err):
		return plan, noMirror(ctx, objects, namespace, consortium)
	}
	return plan, kube.Explain("read the plan of "+consortium, err)
}

// noMirror says what there is instead of a plan.
func noMirror(ctx context.Context, objects client.Client, namespace, consortium string) error {
	var all v1alpha1.MemberPlanList
	if err := objects.List(ctx, &all, client.InNamespace(namespace)); err != nil {
		return kube.Explain("list the plans in "+namespace, err)
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
	{v1alpha1.PlanMirrored, "plan"}, {v1alpha1.PlanTrusted, "trust"}, {v1alpha1.PlanIdentitiesReady, "identities"}, {v1alpha1.PlanNodesReady, "nodes"},
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
func memberTree(plan v1alpha1.MemberPlan, wide bool) string {
	top := memberTop(plan)
	top.children = stepRows(plan)
	if wide {
		top = widen(top)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s   (as %s's own agent sees it)\n", top.mark, top.name, top.text, plan.Spec.Member)
	draw(&b, top.children, "")
	return b.String()
}

// stepRows are the steps of the agent that it has come to, each with what it is about.
func stepRows(plan v1alpha1.MemberPlan) []row {
	children := map[string][]row{
		v1alpha1.PlanNodesReady: nodeRows(plan), v1alpha1.PlanChannelsReady: ownChannelRows(plan), v1alpha1.PlanContractsReady: ownContractRows(plan),
	}
	rows := credentialFault(plan.Status.Conditions)
	for _, phase := range phases {
		if found := meta.FindStatusCondition(plan.Status.Conditions, phase.condition); found != nil {
			rows = append(rows, row{mark: mark(found.Status, found.Reason), name: phase.name, text: found.Message, reason: found.Reason, children: children[phase.condition]})
		}
	}
	return rows
}

func nodeRows(plan v1alpha1.MemberPlan) []row {
	var rows []row
	for _, node := range plan.Status.Nodes {
		rows = append(rows, stateRow(node.Name, node.Ready, node.Reason, node.Message))
	}
	return rows
}

func ownChannelRows(plan v1alpha1.MemberPlan) []row {
	var rows []row
	for _, c := range plan.Status.Channels {
		joined := fmt.Sprintf("%s, height %d", stepsText(c.Steps), c.Height)
		rows = append(rows, stateRow(c.Name, c.Message == "", c.Reason, cmp.Or(c.Message, joined)))
	}
	return rows
}

// stepsText says how far the steps in a channel are: "JoinPeers at peer0-org1, SetAnchors done".
func stepsText(steps []v1alpha1.PlanStep) string {
	var parts []string
	for _, step := range steps {
		state := "not done"
		switch {
		case len(step.Nodes) > 0:
			state = "at " + strings.Join(step.Nodes, " and ")
		case step.Done:
			state = "done"
		}
		parts = append(parts, step.Name+" "+state)
	}
	return cmp.Or(strings.Join(parts, ", "), "no step done")
}

func ownContractRows(plan v1alpha1.MemberPlan) []row {
	var rows []row
	for _, c := range plan.Status.Contracts {
		reached := fmt.Sprintf("approved %d, committed %d", c.Approved, c.Committed)
		rows = append(rows, stateRow(c.Channel+"/"+c.Name, c.Running && c.Message == "", c.Reason, cmp.Or(c.Message, reached)))
	}
	return rows
}
