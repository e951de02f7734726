package reconcile

import (
	"cmp"
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/discovery"
	"github.com/hanse-io/hanse/member-agent/host"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/line"
	"github.com/hanse-io/hanse/statement"
)

// organization is the member's own identity.
type organization struct {
	root         string
	certificates string
	pair         *tls.Certificate
	signer       crypto.Signer
	// message says why there is no identity yet, or why it could not be renewed; reason is its condition reason.
	reason, message string
}

// organizationReconciler reconciles what belongs to the organization as a whole. It has one key only.
type organizationReconciler struct {
	*Reconciler
	groups []discovery.Group
}

// Reconcile reconciles the organization: its identity, its gossip groups, the gateway's routes and the host's facts.
func (h *organizationReconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	org := h.ensureIdentity(ctx)
	before := h.organization.Swap(org)
	if before.root != org.root || before.certificates != org.certificates || before.message != org.message {
		h.planTrigger.EnqueueAll()
	}
	plans, err := h.validPlans(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	pinned, _, err := readPins(ctx, h.Cache, h.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	roots := maps.Clone(pinned)
	delete(roots, h.Member)
	if org.root != "" {
		roots[h.Member] = org.root
	}
	failed := h.updateDiscovery(plans, roots)
	failed = errors.Join(failed, h.writeRoutes(ctx, plans, roots))
	lines, err := readLineReports(ctx, h.Cache, h.linesKey(), h.Now())
	h.observeLines(lines.Lines)
	failed = errors.Join(failed, err, h.removeObsoleteReports(ctx, lines.Obsolete))
	h.Reporter.SetFacts(host.Facts{Root: org.root, Nodes: countNodes(plans), Lines: lines.Lines})
	if failed != nil || org.message != "" {
		return reconcile.Result{RequeueAfter: requeueNotReady}, failed
	}
	return reconcile.Result{RequeueAfter: requeueBefore(lines.Expires, h.Now())}, nil
}

// requeueBefore is requeueReady, or the time until just after the first of the gateways' reports expires, if that is less:
// no event says that a gateway is gone.
func requeueBefore(expires, now time.Time) time.Duration {
	if expires.IsZero() {
		return requeueReady
	}
	return min(max(expires.Sub(now), 0)+time.Second, requeueReady)
}

// ensureIdentity has the organization's own certificates issued.
func (h *organizationReconciler) ensureIdentity(ctx context.Context) *organization {
	root, agent, err := h.Identity.Organization(ctx, h.Cache)
	if err != nil {
		// Certificates that were issued before stay in use while cert-manager is unavailable.
		org := *h.organization.Load()
		org.message, org.reason = err.Error(), v1alpha1.ReasonFailed
		var waiting identity.NotIssued
		switch {
		case errors.Is(err, identity.ErrCertManagerMissing):
			org.reason = v1alpha1.ReasonCertManagerMissing
		case errors.As(err, &waiting):
			org.reason = v1alpha1.ReasonProgressing
		}
		return &org
	}
	pair, err := tls.X509KeyPair(agent.Certificate, agent.Key)
	if err != nil {
		return &organization{reason: v1alpha1.ReasonFailed, message: "the agent's certificate and key do not fit together: " + err.Error()}
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return &organization{reason: v1alpha1.ReasonFailed, message: "the agent's key cannot sign"}
	}
	return &organization{root: root, certificates: string(agent.Certificate), pair: &pair, signer: signer}
}

// validPlans lists the plans that are valid for this agent and not retired. They are the cache's own, and must not be
// modified: copies of all of them would be most of what a turn allocates.
func (h *organizationReconciler) validPlans(ctx context.Context) ([]v1alpha1.MemberPlan, error) {
	var all v1alpha1.MemberPlanList
	if err := h.Cache.List(ctx, &all, client.InNamespace(h.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var plans []v1alpha1.MemberPlan
	for _, plan := range all.Items {
		if _, why := validatePlan(&plan, h.Member); why == "" && validateMSPID(&plan, h.MSPID) == "" && !plan.Spec.Retire {
			plans = append(plans, plan)
		}
	}
	return plans, nil
}

// updateDiscovery sets one gossip group for each consortium: its members with their pinned roots.
func (h *organizationReconciler) updateDiscovery(plans []v1alpha1.MemberPlan, roots statement.Pins) error {
	var groups []discovery.Group
	for _, plan := range plans {
		group := discovery.Group{Consortium: plan.Spec.Consortium}
		for _, m := range plan.Spec.Members {
			group.Members = append(group.Members, discovery.Peer{Name: m.Name, RootPEM: roots[m.Name]})
		}
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b discovery.Group) int { return cmp.Compare(a.Consortium, b.Consortium) })
	if err := h.Discovery.SetGroups(groups); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	if !reflect.DeepEqual(h.groups, groups) {
		h.groups = groups
		h.planTrigger.EnqueueAll()
	}
	return nil
}

// writeRoutes writes the gateway's routes.
func (h *organizationReconciler) writeRoutes(ctx context.Context, plans []v1alpha1.MemberPlan, roots statement.Pins) error {
	records := map[string]map[string]v1alpha1.Record{}
	for _, plan := range plans {
		records[plan.Spec.Consortium] = h.Discovery.Records(plan.Spec.Consortium)
	}
	found, err := h.Networks.Find(ctx)
	if err != nil {
		return err
	}
	text, err := line.Compute(plans, records, h.Member, line.Cluster{
		Domain: h.ClusterDomain, Namespace: h.Namespace, Roots: roots, Own: found.CIDRs, Planners: h.Planners, Problems: found.Problems,
	}).JSON()
	if err != nil {
		return err
	}
	return h.Applier.Apply(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: h.Namespace, Name: h.RoutesTo.Name,
			Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelMember: h.Member},
		},
		Data: map[string]string{h.RoutesTo.Key: string(text)},
	})
}

// Certificate is the agent's own, for its connections on the lines.
func (r *Reconciler) Certificate() (*tls.Certificate, error) {
	if org := r.organization.Load(); org.pair != nil {
		return org.pair, nil
	}
	return nil, errors.New("the agent's certificate has not been issued yet")
}

// countNodes adds up the nodes of all plans.
func countNodes(plans []v1alpha1.MemberPlan) v1alpha1.NodeCount {
	var n v1alpha1.NodeCount
	for _, plan := range plans {
		n.Desired += int32(len(plan.Spec.Nodes))
		for _, node := range plan.Status.Nodes {
			if node.Ready {
				n.Ready++
			}
		}
	}
	n.Summary = fmt.Sprintf("%d/%d", n.Ready, n.Desired)
	return n
}
