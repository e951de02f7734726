package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// readLineReports reads the gateway's reports of its lines; nil until there are any.
func readLineReports(ctx context.Context, reader client.Reader, namespace string, from ConfigMapKey) ([]v1alpha1.LineReport, error) {
	var cm corev1.ConfigMap
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: from.Name}, &cm)
	if apierrors.IsNotFound(err) || (err == nil && cm.Data[from.Key] == "") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the gateway's reports: %w", err)
	}
	var lines []v1alpha1.LineReport
	if err := json.Unmarshal([]byte(cm.Data[from.Key]), &lines); err != nil {
		return nil, fmt.Errorf("read the gateway's reports in ConfigMap %s: %w", from.Name, err)
	}
	return lines, nil
}

// validateLines returns the condition of whether every other member of the plan can be reached over some line. The host
// reads it too, so it has no more detail than the reports' public reasons.
func validateLines(plan *v1alpha1.MemberPlan, lines []v1alpha1.LineReport) (metav1.ConditionStatus, string, string) {
	best := map[string]v1alpha1.LineReport{}
	for _, l := range lines {
		if was, ok := best[l.Member]; !ok || stateRank(l.State) > stateRank(was.State) {
			best[l.Member] = l
		}
	}
	declared := map[string]bool{}
	for _, l := range plan.Spec.Lines {
		declared[l.Member] = true
	}
	var none, down, unknown, full []string
	reason := v1alpha1.ReasonLineDown
	for _, m := range plan.Spec.Members {
		if m.Name == plan.Spec.Member {
			continue
		}
		switch l := best[m.Name]; {
		case !declared[m.Name]:
			none = append(none, m.Name)
		case l.State == v1alpha1.LineDown:
			down = append(down, fmt.Sprintf("%s (%s: %s)", m.Name, l.Name, cmp.Or(l.Reason, v1alpha1.LineUnreachable)))
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

func stateRank(s v1alpha1.LineState) int {
	switch s {
	case v1alpha1.LineUp:
		return 2
	case v1alpha1.LineDown:
		return 1
	}
	return 0
}
