package ledger

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// maxWaitingFor is the number of Members that a step's status names.
const maxWaitingFor = 64

// steps does the steps of the ledger's description that are this Member's. One that fails keeps only those back that come
// after it.
func (c *channelStep) steps(ctx context.Context) error {
	var failed []error
	var reached []v1alpha1.PlanStep
	for _, step := range c.in.Description.Steps {
		var status v1alpha1.PlanStep
		var err error
		switch {
		case len(c.nodes[step.Name]) > 0:
			status, err = c.doAtNodes(ctx, step)
		case step.Role == "" && (step.After == "" || len(c.nodes[step.After]) > 0):
			status, err = c.doOnce(ctx, step)
		default:
			continue
		}
		status.WaitingFor = waitingFor(err)
		reached, failed = append(reached, status), append(failed, err)
		c.status.Steps = withStep(c.status.Steps, status)
	}
	c.status.Steps = reached
	return errors.Join(failed...)
}

// doOnce does a step that is done once for the Member, as soon as a node has done the one before it. What was done once stays
// done.
func (c *channelStep) doOnce(ctx context.Context, step ledger.Step) (v1alpha1.PlanStep, error) {
	status := ledger.StepOf(c.status, step.Name)
	if step.After != "" && len(ledger.StepOf(c.status, step.After).Nodes) == 0 {
		return status, nil
	}
	_, err := withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.session.Do(ctx, step.Name, "", c.channel, c.first())
	})
	status.Done = status.Done || err == nil
	return status, err
}

// doAtNodes does a step at each of its nodes.
func (c *channelStep) doAtNodes(ctx context.Context, step ledger.Step) (v1alpha1.PlanStep, error) {
	var mu sync.Mutex
	var differ []string
	status, nodes := ledger.StepOf(c.status, step.Name), c.nodes[step.Name]
	done, err := forEachNode(ctx, nodes, func(ctx context.Context, node string) error {
		err := c.session.Do(ctx, step.Name, node, c.channel, c.first())
		if errors.Is(err, ledger.ErrLedgerDiffers) {
			mu.Lock()
			defer mu.Unlock()
			differ = append(differ, node)
		}
		return err
	})
	status.Nodes = merge(nodes, status.Nodes, done, differ)
	status.Done = len(status.Nodes) == len(nodes)
	return status, err
}

// withStep is a list of steps with the new status of one.
func withStep(steps []v1alpha1.PlanStep, status v1alpha1.PlanStep) []v1alpha1.PlanStep {
	kept := slices.DeleteFunc(slices.Clone(steps), func(s v1alpha1.PlanStep) bool { return s.Name == status.Name })
	return append(kept, status)
}

// waitingFor names the Members that a step waits for, sorted, each once.
func waitingFor(err error) []string {
	var waiting *ledger.Waiting
	if !errors.As(err, &waiting) || len(waiting.For) == 0 {
		return nil
	}
	members := slices.Compact(slices.Sorted(slices.Values(waiting.For)))
	return members[:min(len(members), maxWaitingFor)]
}

// merge are those of the nodes that have joined, now or before, without those that hold another ledger.
func merge(nodes, before, now, differ []string) []string {
	var all []string
	for _, node := range nodes {
		if (slices.Contains(before, node) || slices.Contains(now, node)) && !slices.Contains(differ, node) {
			all = append(all, node)
		}
	}
	return all
}

// joined are the Member's nodes that hold the channel's ledger.
func (c *channelStep) joined() []string { return c.in.Description.Holders(c.status) }

// readHeight reads the channel's height, once one of the Member's nodes holds it.
func (c *channelStep) readHeight(ctx context.Context) error {
	if len(c.joined()) == 0 {
		return nil
	}
	height, err := withStepTimeout(ctx, func(ctx context.Context) (int64, error) { return c.session.Height(ctx, c.channel) })
	c.status.Height = max(c.status.Height, height)
	return err
}
