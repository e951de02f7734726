//go:build integration

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// undecodableNamespace has the objects that were stored before the CRDs rejected them.
const undecodableNamespace = "unread"

// undecodableObject is one stored object that cannot be decoded into Go's types.
type undecodableObject struct {
	why, object string
	// status is stored apart; the value may be in it.
	status string
	// path of the value, and the merge patch that corrects it; subresource says that it is in the status.
	path, correction string
}

var undecodableObjects = []undecodableObject{
	{"a member's invitation ends at a time with small letters", "kind: Member\nmetadata: {name: unread}\nspec: {invitation: x, invitationExpires: \"2026-01-31t12:00:00z\"}", "",
		"spec.invitationExpires", `{"spec":{"invitationExpires":"2026-01-31T12:00:00Z"}}`},
	{"a line's port is no int32", "kind: Line\nmetadata: {name: unread}\nspec: {ends: [{member: unread-a, address: 192.0.2.41, port: 99999999999}, {member: unread-b, address: 192.0.2.42}]}", "",
		"spec.ends[0].port", `{"spec":{"ends":[{"member":"unread-a","address":"192.0.2.41","port":7443},{"member":"unread-b","address":"192.0.2.42"}]}}`},
	{"a consortium's storage is beyond every number", "kind: Consortium\nmetadata: {name: unread}\nspec: {members: [{name: unread-a, role: Leader}], nodes: {storage: {size: \"1e99999999999999999999\"}}}", "",
		"spec.nodes.storage.size", `{"spec":{"nodes":{"storage":{"size":"5Gi"}}}}`},
	{"a channel's timeout is in words", "kind: Channel\nmetadata: {name: unread}\nspec: {consortium: read, batch: {timeout: 2 seconds}}", "",
		"spec.batch.timeout", `{"spec":{"batch":{"timeout":"2s"}}}`},
	{"a contract's memory is a text", "kind: Contract\nmetadata: {name: unread}\nspec: {channel: read, template: notary, resources: {limits: {memory: lots}}}", "",
		"spec.resources.limits.memory", `{"spec":{"resources":{"limits":{"memory":"512Mi"}}}}`},
}

// garbled are a Member and a MemberPlan with an undecodable status.
var garbled = []undecodableObject{
	{"a member's line was last changed at a time with small letters", "kind: Member\nmetadata: {name: garbled}",
		`{"root":"none","lines":[{"name":"l","member":"m","state":"Up","since":"2026-01-31t12:00:00z"}]}`, "status.lines[0].since", ""},
	{"a condition in a plan's report changed at a time with small letters", "kind: MemberPlan\nmetadata: {name: garbled, namespace: unread}\nspec: {member: nobody, consortium: garbled, consortiumNamespace: unread, namespace: hanse-garbled, ledger: {}, members: []}",
		`{"conditions":[{"type":"T","status":"True","reason":"R","message":"m","lastTransitionTime":"2026-01-31t12:00:00z"}]}`, "status.conditions[0].lastTransitionTime", ""},
}

// leaving is one that holds the finalizer.
var leaving = undecodableObject{"a consortium that is to go", "kind: Consortium\nmetadata: {name: leaving, finalizers: [federation.hanse.io/retire]}\nspec: {members: [{name: unread-a, role: Leader}], nodes: {storage: {size: big}}}", "", "", ""}

// storeUndecodable stores all of it under CRDs without rules, and then installs the CRDs with their rules.
func storeUndecodable() error {
	if err := admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: undecodableNamespace}}); err != nil {
		return err
	}
	if err := installCRDs(withoutRules); err != nil {
		return err
	}
	for _, s := range slices.Concat(undecodableObjects, garbled, []undecodableObject{leaving}) {
		if err := s.store(); err != nil {
			return fmt.Errorf("%s: %w", s.why, err)
		}
	}
	if err := installCRDs(func(any) {}); err != nil {
		return err
	}
	// The API server takes up a CRD's schema a moment after it has stored it.
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, pollTimeout, true, func(context.Context) (bool, error) {
		for _, s := range undecodableObjects {
			u, err := s.parse()
			if err != nil {
				return false, err
			}
			u.SetName("probe")
			if admin.Create(ctx, u, client.DryRunAll) == nil {
				return false, nil
			}
		}
		return true, nil
	})
}

func (s undecodableObject) parse() (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(header+s.object), &u.Object); err != nil {
		return nil, err
	}
	if kind := u.GetKind(); kind != "Line" && kind != "Member" {
		u.SetNamespace(undecodableNamespace)
	}
	return u, nil
}

func (s undecodableObject) store() error {
	var u *unstructured.Unstructured
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, pollTimeout, true, func(context.Context) (done bool, err error) {
		if u, err = s.parse(); err != nil {
			return false, err
		}
		last = admin.Create(ctx, u)
		return last == nil, nil
	})
	if err != nil || s.status == "" {
		return errors.Join(err, last)
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"status":`+s.status+`}`))
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, pollTimeout, true, func(context.Context) (bool, error) {
		last = admin.Status().Patch(ctx, u, patch)
		return last == nil, nil
	})
	return errors.Join(err, last)
}

// installCRDs writes the chart's CRDs with changed schemas.
func installCRDs(change func(schema any)) error {
	files, err := filepath.Glob("../../charts/federation/crds/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		crd := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(text, &crd.Object); err != nil {
			return err
		}
		change(crd.Object["spec"])
		have := &unstructured.Unstructured{}
		have.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		if err := admin.Get(ctx, client.ObjectKeyFromObject(crd), have); err != nil {
			return err
		}
		have.Object["spec"] = crd.Object["spec"]
		if err := admin.Update(ctx, have); err != nil {
			return err
		}
	}
	return nil
}

// withoutRules takes everything out of a schema by which a value could be wrong.
func withoutRules(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		for _, rule := range []string{"x-kubernetes-validations", "pattern", "format", "minimum", "maximum", "maxLength"} {
			if _, isField := s[rule].(map[string]any); !isField {
				delete(s, rule)
			}
		}
		for _, below := range s {
			withoutRules(below)
		}
	case []any:
		for _, below := range s {
			withoutRules(below)
		}
	}
}

// accepted is an object's condition Accepted.
func accepted(u *unstructured.Unstructured) (*metav1.Condition, error) {
	if err := admin.Get(ctx, client.ObjectKeyFromObject(u), u); err != nil {
		return nil, err
	}
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	var conditions []metav1.Condition
	if err := json.Unmarshal(text, &conditions); err != nil {
		return nil, err
	}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionAccepted); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%s %s has no condition Accepted", u.GetKind(), u.GetName())
}

// undecodableCount is the metric of one kind.
func undecodableCount(t *testing.T, kind string) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	must(t, err)
	for _, family := range families {
		if family.GetName() != "hanse_undecodable_objects" {
			continue
		}
		for _, m := range family.GetMetric() {
			if m.GetLabel()[0].GetValue() == kind {
				return m.GetGauge().GetValue()
			}
		}
	}
	t.Errorf("there is no metric hanse_undecodable_objects of kind %s", kind)
	return -1
}

// TestUndecodable: the controller was started with all of it in the API server. Its conditions name it, other objects are not
// affected (as every other test of this package shows too), and it is accepted once it is corrected.
func TestUndecodable(t *testing.T) {
	for _, name := range []string{"unread-a", "unread-b"} {
		must(t, admin.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	for _, text := range []string{
		"kind: Consortium\nmetadata: {name: read}\nspec: {members: [{name: unread-a, role: Leader}, {name: unread-b}]}",
		"kind: Consortium\nmetadata: {name: read-too}\nspec: {members: [{name: unread-a, role: Leader}, {name: garbled}]}",
		"kind: Channel\nmetadata: {name: read}\nspec: {consortium: read}",
	} {
		must(t, admin.Create(ctx, object(t, text, undecodableNamespace)))
	}
	for _, s := range undecodableObjects {
		u, err := s.parse()
		must(t, err)
		eventually(t, s.why, func() error {
			c, err := accepted(u)
			if err != nil {
				return err
			}
			if c.Status != metav1.ConditionFalse || c.Reason != v1alpha1.ReasonUndecodable || !strings.Contains(c.Message, s.path+" cannot be read") {
				return fmt.Errorf("got %+v", *c)
			}
			return nil
		})
		if n := undecodableCount(t, u.GetKind()); n < 1 {
			t.Errorf("%s: the metric says %v", s.why, n)
		}
	}
	if n := undecodableCount(t, "MemberPlan"); n < 1 {
		t.Errorf("a plan with a spoilt report: the metric says %v", n)
	}
	for member, consortium := range map[string]string{"unread-a": "read", "unread-b": "read", "garbled": "read-too"} {
		eventually(t, "others get their plans", func() error {
			return admin.Get(ctx, types.NamespacedName{Namespace: v1alpha1.MemberNamespace(member), Name: consortium}, &v1alpha1.MemberPlan{})
		})
	}
	for _, s := range undecodableObjects {
		u, err := s.parse()
		must(t, err)
		must(t, admin.Patch(ctx, u, client.RawPatch(types.MergePatchType, []byte(s.correction))))
		eventually(t, s.why+", corrected", func() error {
			c, err := accepted(u)
			if err == nil && c.Status != metav1.ConditionTrue {
				err = fmt.Errorf("got %+v", *c)
			}
			return err
		})
	}
	eventually(t, "the channel that was corrected is planned", func() error {
		var plan v1alpha1.MemberPlan
		err := admin.Get(ctx, types.NamespacedName{Namespace: v1alpha1.MemberNamespace("unread-b"), Name: "read"}, &plan)
		if err == nil && (len(plan.Spec.Channels) != 2 || len(plan.Spec.Contracts) != 1) {
			err = fmt.Errorf("channels %v, contracts %v", plan.Spec.Channels, plan.Spec.Contracts)
		}
		return err
	})
}

// TestUndecodableCanBeDeleted: nothing but the finalizers is patched, so the finalizer can be removed.
func TestUndecodableCanBeDeleted(t *testing.T) {
	u, err := leaving.parse()
	must(t, err)
	must(t, admin.Delete(ctx, u))
	eventually(t, leaving.why, func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(u), u); !apierrors.IsNotFound(err) {
			return errors.Join(errors.New("it is still there"), err)
		}
		return nil
	})
}

func TestReadyOnceSynced(t *testing.T) {
	eventually(t, "/readyz of a controller that works", func() error {
		response, err := http.Get("http://" + healthAddress + "/readyz")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("got %s", response.Status)
		}
		return nil
	})
}
