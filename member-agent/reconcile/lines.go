package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
)

// readLineReports reads what the gateways report of their lines, merged. There are no lines until a gateway has reported.
func readLineReports(ctx context.Context, reader client.Reader, key client.ObjectKey, now time.Time) (routing.MergedReports, error) {
	var cm corev1.ConfigMap
	if err := reader.Get(ctx, key, &cm); err != nil {
		if apierrors.IsNotFound(err) {
			return routing.MergedReports{}, nil
		}
		return routing.MergedReports{}, fmt.Errorf("read the gateways' reports: %w", err)
	}
	merged, err := routing.MergeReports(cm.Data, now)
	if err != nil {
		return merged, fmt.Errorf("ConfigMap %s: %w", key, err)
	}
	return merged, nil
}

// linesKey is where the gateways report.
func (r *Reconciler) linesKey() client.ObjectKey {
	return client.ObjectKey{Namespace: r.Namespace, Name: r.LinesFrom}
}

// removeObsoleteReports removes the reports of gateways that have been gone for long.
func (r *Reconciler) removeObsoleteReports(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	data := map[string]any{}
	for _, key := range keys {
		data[key] = nil
	}
	patch, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		return fmt.Errorf("write a patch as JSON: %w", err)
	}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: r.LinesFrom}}
	if err := r.Own.Patch(ctx, cm, client.RawPatch(types.MergePatchType, patch)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the reports of gateways that are gone from ConfigMap %s: %w", r.LinesFrom, err)
	}
	return nil
}

// lineWatch remembers the lines as they were merged last, to tell what has changed. Most of what gateways write changes
// nothing: they report at intervals to show that they are still there.
type lineWatch struct {
	mu    sync.Mutex
	lines []v1alpha1.LineReport
}

// update takes over the lines and says whether anything has changed, and whether a state has, which plans depend on.
func (w *lineWatch) update(lines []v1alpha1.LineReport) (changed, states bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed = !equality.Semantic.DeepEqual(w.lines, lines)
	states = changed && !slices.EqualFunc(w.lines, lines, func(a, b v1alpha1.LineReport) bool {
		return a.Name == b.Name && a.Member == b.Member && a.State == b.State && a.Reverse == b.Reverse && a.Reason == b.Reason
	})
	w.lines = lines
	return changed, states
}

// reachedMembers is how each other member of the plan is reached to which a line is declared, by the best of the lines that
// lead to it. Host and agent both go by it.
func reachedMembers(plan *v1alpha1.MemberPlan, lines []v1alpha1.LineReport) []v1alpha1.PlanLineStatus {
	best := map[string]v1alpha1.PlanLineStatus{}
	for _, l := range lines {
		was, ok := best[l.Member]
		is := v1alpha1.PlanLineStatus{Member: l.Member, Line: l.Name, State: l.State, Reverse: l.Reverse, Reason: l.Reason}
		if ok && routing.StateRank(was.State) >= routing.StateRank(is.State) {
			was, is = is, was
		}
		if ok && routing.StateRank(was.Reverse) > routing.StateRank(is.Reverse) {
			is.Reverse = was.Reverse
		}
		best[l.Member] = is
	}
	declared := map[string]bool{}
	for _, l := range plan.Spec.Lines {
		declared[l.Member] = true
	}
	var reached []v1alpha1.PlanLineStatus
	for _, m := range plan.Spec.Members {
		if m.Name == plan.Spec.Member || !declared[m.Name] {
			continue
		}
		line, ok := best[m.Name]
		if !ok {
			line = v1alpha1.PlanLineStatus{Member: m.Name, State: v1alpha1.LineUnknown, Reverse: v1alpha1.LineUnknown}
		}
		reached = append(reached, line)
	}
	slices.SortFunc(reached, func(a, b v1alpha1.PlanLineStatus) int { return cmp.Compare(a.Member, b.Member) })
	return reached
}

// validateLines returns the condition of whether every other member of the plan can be reached over some line. The host
// reads it too, so it has no more detail than the reports' public reasons.
func validateLines(plan *v1alpha1.MemberPlan, reached []v1alpha1.PlanLineStatus) (metav1.ConditionStatus, string, string) {
	byMember := map[string]v1alpha1.PlanLineStatus{}
	for _, l := range reached {
		byMember[l.Member] = l
	}
	var none, down, unknown, full []string
	reason := v1alpha1.ReasonLineDown
	for _, m := range plan.Spec.Members {
		if m.Name == plan.Spec.Member {
			continue
		}
		switch l, declared := byMember[m.Name]; {
		case !declared:
			none = append(none, m.Name)
		case l.State == v1alpha1.LineDown:
			down = append(down, fmt.Sprintf("%s (%s: %s)", m.Name, l.Line, cmp.Or(l.Reason, v1alpha1.LineUnreachable)))
			if l.Reason == v1alpha1.LineNotAllowed {
				reason = v1alpha1.ReasonLineNotAllowed
			}
		case l.State != v1alpha1.LineUp:
			unknown = append(unknown, m.Name)
		case l.Reason == v1alpha1.LineFull:
			full = append(full, m.Name)
		}
	}
	switch {
	case len(none) > 0:
		return metav1.ConditionFalse, v1alpha1.ReasonNotFound, "there is no line to " + strings.Join(none, ", ") + ": declare a Line on the host"
	case len(down) > 0:
		return metav1.ConditionFalse, reason, "no line is up to " + strings.Join(down, ", ") + linesHint
	case len(full) > 0:
		return metav1.ConditionFalse, v1alpha1.ReasonLineFull, "the gateway has reached its connection limit for " + strings.Join(full, ", ") + linesHint
	case len(unknown) > 0:
		return metav1.ConditionUnknown, v1alpha1.ReasonWaiting, "the gateway has not yet tried the lines to " + strings.Join(unknown, ", ")
	}
	return metav1.ConditionTrue, v1alpha1.ReasonReady, "a line is up to every other member"
}

// linesHint says where the details are, which are for the organization alone.
const linesHint = "; what the gateway found is in ConfigMap hanse-lines of the agent's namespace"
