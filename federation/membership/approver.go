package membership

import (
	"context"
	"fmt"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
)

// ApproverManager owns a Member's registration.
const ApproverManager = "hanse-approver"

// Approver approves or denies the agents' CertificateSigningRequests. The API server's client signer issues certificates.
type Approver struct {
	Client client.Client
	// Live reads from the API server, not the cache, which may not have the latest registration.
	Live     client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// requestKept is how long a decided request is kept, so that its agent can read the result.
const requestKept = 15 * time.Minute

// SetupWithManager watches the agents' requests.
func (r *Approver) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	ours := predicate.NewPredicateFuncs(func(object client.Object) bool {
		csr, ok := object.(*certificatesv1.CertificateSigningRequest)
		if !ok {
			return false
		}
		_, ours := requestorOf(csr.Spec.Username)
		return ours
	})
	return ctrl.NewControllerManagedBy(mgr).Named("approver").
		WithOptions(options).
		For(&certificatesv1.CertificateSigningRequest{}, builder.WithPredicates(ours)).
		Complete(r)
}

func decided(csr *certificatesv1.CertificateSigningRequest) bool {
	for _, condition := range csr.Status.Conditions {
		if condition.Type == certificatesv1.CertificateApproved || condition.Type == certificatesv1.CertificateDenied {
			return true
		}
	}
	return false
}

// Reconcile decides on one request, if it is an agent's. The registration is written before the approval, with the resource
// version of the Member that was validated: of two agents at the same time one gets a conflict, and its retry finds the
// other one's key.
func (r *Approver) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	csr := &certificatesv1.CertificateSigningRequest{}
	if err := r.Client.Get(ctx, req.NamespacedName, csr); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	who, ours := requestorOf(csr.Spec.Username)
	if !ours || csr.Spec.SignerName != certificatesv1.KubeAPIServerClientSignerName {
		return ctrl.Result{}, nil
	}
	if decided(csr) {
		return r.clear(ctx, csr)
	}
	member, account, err := r.readMember(ctx, who)
	if err != nil {
		return apply.Result(err)
	}
	now := r.Clock.Now()
	result := validateRequest(csr, who, member, account, now)
	if result.denied == "" {
		if err := r.register(ctx, member, result.register, RequestHash(csr), now); err != nil {
			return apply.Result(err)
		}
	}
	if err := r.decide(ctx, csr, result, now); err != nil {
		return apply.Result(client.IgnoreNotFound(err))
	}
	if result.alreadyRegistered && member != nil {
		r.Recorder.Eventf(member, csr, corev1.EventTypeWarning, v1alpha1.ReasonSecondAgent, "Admit", "%s", result.denied)
	}
	return ctrl.Result{}, nil
}

// readMember reads the Member and its invitation's ServiceAccount; nil for what does not exist.
func (r *Approver) readMember(ctx context.Context, who requestor) (*v1alpha1.Member, *corev1.ServiceAccount, error) {
	member := &v1alpha1.Member{}
	err := r.Live.Get(ctx, types.NamespacedName{Name: who.member}, member)
	if apierrors.IsNotFound(err) {
		return nil, nil, nil
	}
	if err != nil || !who.invited {
		return member, nil, err
	}
	account := &corev1.ServiceAccount{}
	key := types.NamespacedName{Namespace: v1alpha1.MemberNamespace(who.member), Name: v1alpha1.InviteServiceAccount}
	err = r.Live.Get(ctx, key, account)
	if apierrors.IsNotFound(err) {
		return member, nil, nil
	}
	return member, account, err
}

// clear deletes a request that was decided requestKept ago. Its agent deletes it earlier, unless it was interrupted.
func (r *Approver) clear(ctx context.Context, csr *certificatesv1.CertificateSigningRequest) (ctrl.Result, error) {
	last := csr.CreationTimestamp.Time
	for _, condition := range csr.Status.Conditions {
		if condition.LastUpdateTime.After(last) {
			last = condition.LastUpdateTime.Time
		}
	}
	if left := last.Add(requestKept).Sub(r.Clock.Now()); left > 0 {
		return ctrl.Result{RequeueAfter: left}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(r.Client.Delete(ctx, csr, client.Preconditions{UID: &csr.UID}))
}

// register writes the registered key and the issued request to the Member's status.
func (r *Approver) register(ctx context.Context, member *v1alpha1.Member, fingerprint, request string, now time.Time) error {
	status := struct {
		Registration *v1alpha1.MemberRegistration `json:"registration"`
	}{nextRegistration(member, fingerprint, request, now)}
	if equality.Semantic.DeepEqual(status.Registration, member.Status.Registration) {
		return nil
	}
	if err := apply.Status(ctx, r.Client, ApproverManager, member, &status, member.ResourceVersion); err != nil {
		return err
	}
	if fingerprint != "" {
		r.Recorder.Eventf(member, nil, corev1.EventTypeNormal, v1alpha1.ReasonRegistered, "Admit",
			"registered the agent with the key %s", fingerprint)
	}
	return nil
}

// decide approves or denies a request.
func (r *Approver) decide(ctx context.Context, csr *certificatesv1.CertificateSigningRequest, result decision, now time.Time) error {
	condition := certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue,
		Reason: v1alpha1.ReasonRegistered, Message: "this key is registered for the member",
		LastUpdateTime: metav1.NewTime(now),
	}
	if result.denied != "" {
		condition.Type, condition.Message = certificatesv1.CertificateDenied, result.denied
		condition.Reason = "Refused"
		if result.alreadyRegistered {
			condition.Reason = v1alpha1.ReasonSecondAgent
		}
	}
	csr = csr.DeepCopy()
	csr.Status.Conditions = append(csr.Status.Conditions, condition)
	if err := r.Client.SubResource("approval").Update(ctx, csr, client.FieldOwner(ApproverManager)); err != nil {
		return fmt.Errorf("decide on request %s: %w", csr.Name, err)
	}
	return nil
}
