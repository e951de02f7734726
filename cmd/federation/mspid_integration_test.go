//go:build integration

package main

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TestChosenMSPIDStays: ledgers know an organization by its MSP ID, which therefore cannot change under them.
func TestChosenMSPIDStays(t *testing.T) {
	for _, row := range []struct {
		why        string
		registered bool
		spec, then string
		says       string // why it is rejected; empty if it is not
	}{
		{"one may be chosen as long as no agent has registered", false, `{}`, `{"mspID":"Chosen.MSP-1"}`, ""},
		{"one that was chosen cannot be changed", false, `{"mspID":"First"}`, `{"mspID":"Second"}`, "the MSP ID of a Member cannot change once it is set"},
		{"nor taken away", false, `{"mspID":"First"}`, `{"mspID":null}`, "the MSP ID of a Member cannot change once it is set"},
		{"the rest of the Member may change", false, `{"mspID":"First"}`, `{"organization":"First of all"}`, ""},
		{"none can be chosen once an agent has registered", true, `{}`, `{"mspID":"Late"}`, "whose agent has registered cannot change"},
		{"nor taken away then", true, `{"mspID":"First"}`, `{"mspID":null}`, "MSP ID"},
		{"the rest may change then too", true, `{"mspID":"First"}`, `{"organization":"First of all"}`, ""},
		{"one with a blank", false, `{}`, `{"mspID":"First MSP"}`, "not a valid MSP ID"},
		{"one that ends in a dot", false, `{}`, `{"mspID":"First."}`, "not a valid MSP ID"},
		{"one that would be read as a rule", false, `{}`, `{"mspID":"First','Second"}`, "not a valid MSP ID"},
	} {
		t.Run(row.why, func(t *testing.T) {
			m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{GenerateName: "msp"}}
			must(t, admin.Create(ctx, m))
			patch := func(spec string) error {
				return admin.Patch(ctx, m, client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":%s}`, spec)))
			}
			must(t, patch(row.spec))
			if row.registered {
				joined(t, m.Name)
			}
			err := patch(row.then)
			if row.says == "" && err != nil || row.says != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), row.says)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestMSPIDsInPlans: plans carry the MSP IDs that were chosen, and those that follow from names; and members whom the ledger
// could not tell apart form no consortium.
func TestMSPIDsInPlans(t *testing.T) {
	namespace := namespaced(t)
	for name, id := range map[string]string{"mspa": "Alpha.MSP", "mspb": "", "mspc": "mspbMSP", "mspd": "Alpha.MSP"} {
		must(t, admin.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.MemberSpec{MSPID: id}}))
		joined(t, name)
	}
	trade(t, namespace, "msp-apart", "mspa", "mspb")
	trade(t, namespace, "msp-same", "mspa", "mspd")
	trade(t, namespace, "msp-default", "mspb", "mspc")
	for _, row := range []struct{ name, member, says string }{
		{"msp-same", "mspa", "members mspa and mspd have the same MSP ID, Alpha.MSP"},
		{"msp-default", "mspb", "members mspb and mspc have the same MSP ID, mspbMSP"},
	} {
		waitConsortium(t, namespace, row.name, v1alpha1.ConditionAccepted, metav1.ConditionFalse, row.says)
		waitConsortium(t, namespace, row.name, v1alpha1.ConditionReady, metav1.ConditionFalse, row.says)
		p := planOf(row.member, row.name)
		if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); !apierrors.IsNotFound(err) {
			t.Errorf("a consortium that is not accepted has a plan: %v", err)
		}
	}
	for _, member := range []string{"mspa", "mspb"} {
		p := planOf(member, "msp-apart")
		eventually(t, "the plan of "+member, func() error {
			if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
				return err
			}
			if a, b := p.Spec.MSPID("mspa"), p.Spec.MSPID("mspb"); a != "Alpha.MSP" || b != "mspbMSP" || p.Spec.Members[0].MSPID != a || p.Spec.Members[1].MSPID != b {
				return fmt.Errorf("the plan calls them %s and %s", a, b)
			}
			return nil
		})
	}
}
