//go:build integration

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// crdsWithoutSchema are the host's kinds without any validation of plans: whoever has the host does not keep to it.
func crdsWithoutSchema(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("../../charts/federation/crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "memberplans.yaml") {
			text = withoutSchema(t, text)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func withoutSchema(t *testing.T, text []byte) []byte {
	t.Helper()
	var u unstructured.Unstructured
	if err := yaml.Unmarshal(text, &u.Object); err != nil {
		t.Fatal(err)
	}
	versions, _, err := unstructured.NestedSlice(u.Object, "spec", "versions")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		if version, ok := v.(map[string]any); ok {
			version["schema"] = map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
		}
	}
	if err := unstructured.SetNestedSlice(u.Object, versions, "spec", "versions"); err != nil {
		t.Fatal(err)
	}
	out, err := yaml.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A captured host floods the agent with plans. The organization's cluster stays as it is, and says so.
func TestFlood(t *testing.T) {
	ctx := context.Background()
	host := startCluster(t, crdsWithoutSchema(t))
	own := startCluster(t, "../../charts/member-agent/crds")
	own.namespace(t, agentNamespace)
	own.chart(t)
	prepareHost(t, host)
	registerMember(t, own, host, "org1")
	registry := prometheus.NewRegistry()
	stop := startAgent(t, own, func(o *options) {
		o.limits, o.registry = map[string]string{"consortia": "4", "planBytes": "64Ki"}, registry
	})
	trade := samplePlan("trade", "org1")
	host.apply(t, trade)
	onHost, here := client.ObjectKeyFromObject(trade), client.ObjectKey{Namespace: agentNamespace, Name: "trade"}
	eventually(t, "a plan as it should be is mirrored", func(ctx context.Context) error { return own.Get(ctx, here, &v1alpha1.MemberPlan{}) })

	reasons := flood(t, host)
	for name, reason := range reasons {
		eventually(t, name+" is refused", isRejected(host, client.ObjectKey{Namespace: trade.Namespace, Name: name}, reason))
	}
	var mirrors v1alpha1.MemberPlanList
	if err := own.List(ctx, &mirrors); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(mirrors)
	if err != nil {
		t.Fatal(err)
	}
	if len(mirrors.Items) > 4 || len(raw) > 4*64<<10 {
		t.Errorf("%d mirrors of %d bytes are in the organization's own cluster", len(mirrors.Items), len(raw))
	}
	var namespaces corev1.NamespaceList
	if err := own.List(ctx, &namespaces, client.HasLabels{v1alpha1.LabelConsortium}); err != nil || len(namespaces.Items) > 4 {
		t.Errorf("%d consortia's namespaces: %v", len(namespaces.Items), err)
	}
	checkLocalReports(t, own, registry)

	change(t, host, onHost, func(p *v1alpha1.MemberPlan) { p.Spec.Members[1].Root = strings.Repeat("x", 100<<10) })
	eventually(t, "a plan that grows too large is refused", isRejected(host, onHost, v1alpha1.ReasonLimitExceeded))
	eventually(t, "its mirror goes on and says so", func(ctx context.Context) error {
		var p v1alpha1.MemberPlan
		if err := own.Get(ctx, here, &p); err != nil {
			return err
		}
		c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.PlanMirrored)
		if len(p.Spec.Members[1].Root) > 0 || c == nil || c.Reason != v1alpha1.ReasonLimitExceeded || !strings.Contains(c.Message, "policy.limits.planBytes") {
			return fmt.Errorf("conditions: %+v", p.Status.Conditions)
		}
		return nil
	})
	change(t, host, onHost, func(p *v1alpha1.MemberPlan) { p.Spec.Members[1].Root = "" })
	eventually(t, "it is taken over once it is as it should be", hasCondition(host, onHost, v1alpha1.PlanMirrored, metav1.ConditionTrue, v1alpha1.ReasonReady))

	stop()
	otherMember(t, own)
}

// flood makes plans that are not to come through, and says why not; and more that are in order than there may be.
func flood(t *testing.T, host *cluster) map[string]string {
	t.Helper()
	reasons := map[string]string{}
	for i := range 20 {
		p := samplePlan(fmt.Sprintf("stray%d", i), "org9")
		p.Spec.Members[1].Root = strings.Repeat("x", 900<<10)
		host.apply(t, p)
		reasons[p.Name] = v1alpha1.ReasonWrongMember
		p = samplePlan(fmt.Sprintf("large%d", i), "org1")
		p.Spec.Members[1].Root = strings.Repeat("x", 200<<10)
		host.apply(t, p)
		reasons[p.Name] = v1alpha1.ReasonLimitExceeded
	}
	for i := range 20 {
		host.apply(t, samplePlan(fmt.Sprintf("more%d", i), "org1"))
	}
	eventually(t, "those beyond the limit are refused", func(ctx context.Context) error {
		beyond := 0
		for i := range 20 {
			key := client.ObjectKey{Namespace: v1alpha1.MemberNamespace("org1"), Name: fmt.Sprintf("more%d", i)}
			if isRejected(host, key, v1alpha1.ReasonLimitExceeded)(ctx) == nil {
				beyond++
			}
		}
		if beyond != 17 {
			return fmt.Errorf("%d of 20 are refused, 17 should be: there is trade, and room for three more", beyond)
		}
		return nil
	})
	return reasons
}

// checkLocalReports says whether the organization learns of it by an event and a metric.
func checkLocalReports(t *testing.T, own *cluster, registry *prometheus.Registry) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "hanse_plans_refused" {
			continue
		}
		for _, m := range f.GetMetric() {
			refused[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
		}
	}
	if refused[v1alpha1.ReasonWrongMember] != 20 || refused[v1alpha1.ReasonLimitExceeded] != 37 {
		t.Errorf("hanse_plans_refused: %v", refused)
	}
	eventually(t, "an event says so", func(ctx context.Context) error {
		var events eventsv1.EventList
		if err := own.List(ctx, &events, client.InNamespace(agentNamespace)); err != nil {
			return err
		}
		for _, e := range events.Items {
			if e.Reason == v1alpha1.ReasonLimitExceeded || e.Reason == v1alpha1.ReasonWrongMember {
				return nil
			}
		}
		return fmt.Errorf("%d events", len(events.Items))
	})
}

func change(t *testing.T, c *cluster, key client.ObjectKey, how func(*v1alpha1.MemberPlan)) {
	t.Helper()
	var p v1alpha1.MemberPlan
	if err := c.Get(context.Background(), key, &p); err != nil {
		t.Fatal(err)
	}
	before := client.MergeFrom(p.DeepCopy())
	how(&p)
	if err := c.Patch(context.Background(), &p, before); err != nil {
		t.Fatal(err)
	}
}

// otherMember starts the agent of another organization where that of org1 was, by hand and with helm.
func otherMember(t *testing.T, own *cluster) {
	t.Helper()
	o := testOptions(t)
	o.member = "org2"
	if err := run(context.Background(), own.agentConfig(), o); err == nil || !strings.Contains(err.Error(), "set member.name=org1 again") {
		t.Errorf("an agent of org2 in the cluster of org1: %v", err)
	}
	if err := own.Get(context.Background(), client.ObjectKey{Namespace: agentNamespace, Name: "hanse-root"}, &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("hanse-root: %v", err)
	}
	user, err := own.env.AddUser(envtest.User{Name: "installer", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	for member, fine := range map[string]bool{"org1": true, "org2": false} {
		out, err := exec.Command(asset(t, "helm"), "--kubeconfig", file, "template", "member-agent", "../../charts/member-agent", "--namespace", agentNamespace,
			"--set", "member.name="+member+",host.server=https://host:6443,host.caData="+hostAuthority, "--dry-run=server", "--skip-crds").CombinedOutput()
		// What the test has made itself keeps helm from installing org1's chart too, later on; that is none of this matter.
		if refused := strings.Contains(string(out), "this cluster is member org1's"); refused == fine || (!fine && err == nil) {
			t.Errorf("helm with member.name=%s: %v: %.2000s", member, err, out)
		}
	}
}
