package lifecycle

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/host"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/signature"
)

// organization is the member's own identity as it stands.
type organization struct {
	root         string
	certificates string
	pair         *tls.Certificate
	signer       crypto.Signer
	// waiting says why there is no identity yet, or why it could not be looked after.
	reason, waiting string
}

// house looks after what belongs to the organization as a whole. It has one key only.
type house struct {
	*Reconciler
	rings map[string]map[string]string
}

// Reconcile takes the organization's own matters one turn further.
func (h *house) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	org := h.identify(ctx)
	before := h.organization.Swap(org)
	if before.root != org.root || before.certificates != org.certificates || before.waiting != org.waiting {
		h.plans.ringAll()
	}
	plans, err := h.trusted(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	pinned, _, err := pins(ctx, h.Cache, h.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	roots := maps.Clone(pinned)
	delete(roots, h.Member)
	if org.root != "" {
		roots[h.Member] = org.root
	}
	failed := h.gossip(plans, roots)
	failed = errors.Join(failed, h.route(ctx, plans, roots))
	lines, err := reports(ctx, h.Cache, h.Namespace, h.LinesFrom)
	failed = errors.Join(failed, err)
	h.Reporter.SetFacts(host.Facts{Root: org.root, Nodes: count(plans), Lines: lines})
	if failed != nil || org.waiting != "" {
		return reconcile.Result{RequeueAfter: soon}, failed
	}
	return reconcile.Result{RequeueAfter: late}, nil
}

// identify has the organization's own certificates issued.
func (h *house) identify(ctx context.Context) *organization {
	root, agent, err := h.Identity.Organization(ctx, h.Cache)
	if err != nil {
		// What was issued before goes on to hold while cert-manager is away.
		org := *h.organization.Load()
		org.waiting, org.reason = err.Error(), v1alpha1.ReasonFailed
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
		return &organization{reason: v1alpha1.ReasonFailed, waiting: "the agent's certificate and key do not fit together: " + err.Error()}
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return &organization{reason: v1alpha1.ReasonFailed, waiting: "the agent's key cannot sign"}
	}
	return &organization{root: root, certificates: string(agent.Certificate), pair: &pair, signer: signer}
}

// trusted lists the plans that are this agent's and are not being taken down.
func (h *house) trusted(ctx context.Context) ([]v1alpha1.MemberPlan, error) {
	var all v1alpha1.MemberPlanList
	if err := h.Cache.List(ctx, &all, client.InNamespace(h.Namespace)); err != nil {
		return nil, err
	}
	var plans []v1alpha1.MemberPlan
	for _, plan := range all.Items {
		if _, why := refusal(&plan, h.Member); why == "" && wrongMSPID(&plan, h.MSPID) == "" && !plan.Spec.Retire {
			plans = append(plans, plan)
		}
	}
	return plans, nil
}

// gossip keeps one ring for each consortium, of its members with their pinned roots.
func (h *house) gossip(plans []v1alpha1.MemberPlan, roots signature.Pins) error {
	rings := map[string]map[string]string{}
	for _, plan := range plans {
		ring := map[string]string{}
		for _, m := range plan.Spec.Members {
			ring[m.Name] = roots[m.Name]
		}
		rings[plan.Spec.Consortium] = ring
	}
	if err := h.Discovery.SetRings(rings); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	if !reflect.DeepEqual(h.rings, rings) {
		h.rings = rings
		h.plans.ringAll()
	}
	return nil
}

// route writes the gateway's routes.
func (h *house) route(ctx context.Context, plans []v1alpha1.MemberPlan, roots signature.Pins) error {
	records := map[string]map[string]v1alpha1.Record{}
	for _, plan := range plans {
		records[plan.Spec.Consortium] = h.Discovery.Records(plan.Spec.Consortium)
	}
	text, err := h.Routes(ctx, plans, records, roots)
	if err != nil {
		return err
	}
	return h.Applier.Apply(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: h.Namespace, Name: h.RoutesTo.Name,
			Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelMember: h.Member},
		},
		Data: map[string]string{h.RoutesTo.Key: text},
	})
}

// Certificate is the agent's own, for its connections on the lines.
func (r *Reconciler) Certificate() (*tls.Certificate, error) {
	if org := r.organization.Load(); org.pair != nil {
		return org.pair, nil
	}
	return nil, errors.New("the agent's certificate has not been issued yet")
}

// count adds up the nodes of all plans.
func count(plans []v1alpha1.MemberPlan) v1alpha1.NodeCount {
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
