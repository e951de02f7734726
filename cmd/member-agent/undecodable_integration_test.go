//go:build integration

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// lenientCRDs are those of a host that checks nothing.
func lenientCRDs(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	files, err := filepath.Glob("../../charts/federation/crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		crd := map[string]any{}
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		lenient(crd["spec"])
		if text, err = yaml.Marshal(crd); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// lenient takes everything out of a schema by which a value could be wrong.
func lenient(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		for _, rule := range []string{"x-kubernetes-validations", "pattern", "format", "minimum", "maximum", "maxLength"} {
			if _, isField := s[rule].(map[string]any); !isField {
				delete(s, rule)
			}
		}
		for _, below := range s {
			lenient(below)
		}
	case []any:
		for _, below := range s {
			lenient(below)
		}
	}
}

// TestPlansThatCannotBeDecoded: a captured host, whose API server admits everything, sends a plan that Go's types do not
// take, from the agent's start on. The agent says so, takes up the others, and keeps the last one that could be read.
func TestPlansThatCannotBeDecoded(t *testing.T) {
	ctx := context.Background()
	host := startCluster(t, lenientCRDs(t))
	own := startCluster(t, "../../charts/member-agent/crds")
	own.namespace(t, agentNamespace)
	own.chart(t)
	prepareHost(t, host)
	spoilt := &unstructured.Unstructured{}
	text, err := yaml.Marshal(samplePlan("spoilt", "org1"))
	if err == nil {
		err = yaml.Unmarshal(text, &spoilt.Object)
	}
	if err != nil {
		t.Fatal(err)
	}
	spoilt.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MemberPlan"))
	nodes, _, _ := unstructured.NestedSlice(spoilt.Object, "spec", "nodes")
	nodes[0].(map[string]any)["storage"] = map[string]any{"size": "1e2147483647"}
	if err := unstructured.SetNestedSlice(spoilt.Object, nodes, "spec", "nodes"); err != nil {
		t.Fatal(err)
	}
	host.apply(t, spoilt)
	registerMember(t, own, host, "org1")
	startAgent(t, own)
	sound := samplePlan("trade", "org1")
	host.apply(t, sound)
	here := client.ObjectKey{Namespace: agentNamespace, Name: "trade"}
	eventually(t, "a plan beside it is taken up",
		hasCondition(own, here, v1alpha1.PlanIdentitiesReady, metav1.ConditionFalse, v1alpha1.ReasonCertManagerMissing))
	unreadable := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			u := &unstructured.Unstructured{}
			u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MemberPlan"))
			if err := host.Get(ctx, client.ObjectKey{Namespace: v1alpha1.MemberNamespace("org1"), Name: name}, u); err != nil {
				return err
			}
			var plan v1alpha1.MemberPlan
			text, err := u.MarshalJSON()
			if err == nil {
				err = plan.UnmarshalJSON(text)
			}
			c := meta.FindStatusCondition(plan.Status.Conditions, v1alpha1.PlanMirrored)
			if err != nil || c == nil || c.Reason != v1alpha1.ReasonUndecodable || !strings.Contains(c.Message, "spec.nodes[0].storage.size") {
				return errors.Join(fmt.Errorf("it says %+v", c), err)
			}
			return nil
		}
	}
	eventually(t, "the host is told which one cannot be read, and why", unreadable("spoilt"))

	patch := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"add","path":"/spec/nodes/0/storage/size","value":"lots"}]`))
	if err := host.Patch(ctx, sound, patch); err != nil {
		t.Fatal(err)
	}
	eventually(t, "so with one that could be read before", unreadable("trade"))
	var kept v1alpha1.MemberPlan
	if err := own.Get(ctx, here, &kept); err != nil || len(kept.Spec.Nodes) != 2 || len(kept.Undecodable) > 0 {
		t.Errorf("the mirror is not as it was: %v, %+v", err, kept.Spec.Nodes)
	}
}
