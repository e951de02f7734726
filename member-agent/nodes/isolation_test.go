package nodes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// rejectingApplier rejects objects of some names, as an API server would.
type rejectingApplier struct {
	rejects map[string]error
	applied []string
}

func (p *rejectingApplier) Apply(_ context.Context, obj client.Object) error {
	switch obj.(type) {
	case *appsv1.StatefulSet, *appsv1.Deployment:
	default:
		return nil
	}
	if err := p.rejects[obj.GetName()]; err != nil {
		return err
	}
	p.applied = append(p.applied, obj.GetName())
	return nil
}

// One workload that the cluster rejects is that one's failure.
func TestRejectedWorkloads(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "deployments"}, "x", errors.New("requests must be less than limits"))
	contract := func(name string) ledger.Workload {
		return ledger.Workload{Name: "goods-" + name, Contract: &v1alpha1.PlanContract{Name: name, Channel: "goods"}}
	}
	node := func(name, image string) ledger.Workload {
		return ledger.Workload{
			Name: name, Node: &v1alpha1.PlanNode{Name: name, Role: v1alpha1.RolePeer},
			Pod: corev1.PodSpec{Containers: []corev1.Container{{Name: "peer", Image: image}}},
		}
	}
	running := func(w ledger.Workload) *appsv1.StatefulSet {
		s := Desired(plan, w, nil).StatefulSet
		s.Status = appsv1.StatefulSetStatus{ReadyReplicas: 1}
		return s
	}
	applier := &rejectingApplier{rejects: map[string]error{"goods-bad": forbidden, "peer0-org1": forbidden}}
	p := &Phase{Applier: applier, Now: time.Now}
	seen := &observed{sets: map[string]*appsv1.StatefulSet{}}
	tn := &pass{plan: plan, observed: seen, blocked: map[string]Diagnosis{}, notes: map[string]string{}}
	for _, w := range []ledger.Workload{contract("bad"), contract("good"), node("peer0-org1", "peer:2"), node("peer1-org1", "peer:2")} {
		tn.sets = append(tn.sets, Desired(plan, w, nil))
		if w.Node != nil {
			seen.sets[w.Name] = running(node(w.Name, "peer:1"))
		}
	}
	p.applySets(t.Context(), tn)
	if got := strings.Join(applier.applied, " "); got != "goods-good peer1-org1" {
		t.Errorf("applied: %s; what is rejected must hold up neither other contracts nor another node's change", got)
	}
	result := tn.result()
	if result.Failed == nil {
		t.Error("what was rejected has to be tried again")
	}
	for _, c := range result.Contracts {
		if rejected := c.Reason == v1alpha1.ReasonRejected && strings.Contains(c.Message, "less than limits"); rejected != (c.Name == "bad") {
			t.Errorf("contract %s: %q %q", c.Name, c.Reason, c.Message)
		}
	}
	if result.Reason != v1alpha1.ReasonRejected || !strings.HasPrefix(result.Message, "peer0-org1: ") {
		t.Errorf("%s: %s", result.Reason, result.Message)
	}
}

// A contract has what its organization has labelled for it, and no other Secret, least of all a node's.
func TestContractSecrets(t *testing.T) {
	contract := &v1alpha1.PlanContract{Name: "notary", Channel: "goods"}
	variable := v1alpha1.ContractEnvVar{Name: "TOKEN", SecretKeyRef: &v1alpha1.ContractSecretKeyRef{Name: "api", Key: "token"}}
	secret := func(labels map[string]string, keys ...string) *corev1.Secret {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "api", Labels: labels}, Data: map[string][]byte{}}
		for _, key := range keys {
			s.Data[key] = []byte("x")
		}
		return s
	}
	ours := map[string]string{v1alpha1.LabelContractEnv: "goods.notary"}
	for _, row := range []struct {
		why    string
		secret *corev1.Secret
		found  bool
		says   string
	}{
		{"labelled for it", secret(ours, "token"), true, ""},
		{"not there", secret(nil), false, "create secret generic api --from-literal=token="},
		{"not labelled", secret(nil, "token"), true, "label secret api federation.hanse.io/contract-env=goods.notary"},
		{"another contract's", secret(map[string]string{v1alpha1.LabelContractEnv: "goods.other"}, "token"), true, "not labelled for this contract"},
		{"a key of Hanse's own, whatever else it is labelled", secret(map[string]string{
			v1alpha1.LabelContractEnv: "goods.notary", v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}, "token"), true, "not labelled for this contract"},
		{"without that key", secret(ours, "other"), true, "no such key"},
	} {
		d := diagnoseSecret(contract, variable, row.secret, row.found, "hanse-trade")
		if (d.Reason == "") != (row.says == "") || !strings.Contains(d.Message, row.says) {
			t.Errorf("%s: %q %q", row.why, d.Reason, d.Message)
		}
	}
}
