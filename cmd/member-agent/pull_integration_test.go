//go:build integration

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/member-agent/reconcile"
)

// TestPullSecrets has the agent, with no more rights than the chart gives it, copy the Secret of imagePullSecrets into a
// consortium's namespace and keep the copy up to date; without that value it may create no Secret there.
func TestPullSecrets(t *testing.T) {
	own := startCluster(t)
	own.namespace(t, agentNamespace)
	own.chart(t, "imagePullSecrets={mirror}")
	scheme, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	agent, err := client.New(own.agentConfig(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	identity := nodes.Agent{Namespace: agentNamespace, ServiceAccount: "member-agent"}
	applier := apply.New(agent, reconcile.Owner, time.Now)
	phase := &nodes.Phase{
		Agent: identity, Applier: applier, Direct: agent, Network: nodes.Network{Disabled: true}, Planners: planners,
		Pull: nodes.Pull{Secrets: []string{"mirror"}}, Now: time.Now,
	}
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade", Namespace: "hanse-trade"}}
	eventually(t, "the consortium's namespace", func(ctx context.Context) error {
		for _, obj := range nodes.Namespace(plan, identity) {
			if err := applier.Apply(ctx, obj); err != nil {
				return err
			}
		}
		return nil
	})

	eventually(t, "a missing Secret is named", func(ctx context.Context) error {
		result, err := phase.Ensure(ctx, agent, plan, nil, nil)
		if err == nil && (result.Failed == nil || !strings.Contains(result.Failed.Error(), "which namespace hanse-system does not have")) {
			err = fmt.Errorf("failed: %w", result.Failed)
		}
		return err
	})
	source := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: agentNamespace, Name: "mirror"}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{"registry.example.com":{"auth":"YTpi"}}}`)},
	}
	own.apply(t, source)
	expectCopy(t, own, phase, agent, plan, source)
	source.Data[corev1.DockerConfigJsonKey] = []byte(`{"auths":{"registry.example.com":{"auth":"YTpj"}}}`)
	if err := own.Update(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	expectCopy(t, own, phase, agent, plan, source)

	forbidden := func(namespace string) error {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "any-"}}
		if err := agent.Create(t.Context(), secret); !apierrors.IsForbidden(err) {
			return fmt.Errorf("the agent creates Secrets in %s: %w", namespace, err)
		}
		return nil
	}
	if err := forbidden("default"); err != nil {
		t.Error(err)
	}
	own.chart(t)
	eventually(t, "no right that nothing needs", func(context.Context) error { return forbidden("hanse-trade") })
}

// expectCopy waits until the copy is what the source is.
func expectCopy(t *testing.T, own *cluster, phase *nodes.Phase, agent client.Client, plan *v1alpha1.MemberPlan, source *corev1.Secret) {
	t.Helper()
	eventually(t, "the copy", func(ctx context.Context) error {
		result, err := phase.Ensure(ctx, agent, plan, nil, nil)
		if err != nil || result.Failed != nil {
			return errors.Join(err, result.Failed)
		}
		var copied corev1.Secret
		if err := own.Get(ctx, client.ObjectKey{Namespace: "hanse-trade", Name: "mirror"}, &copied); err != nil {
			return err
		}
		if copied.Type != source.Type || string(copied.Data[corev1.DockerConfigJsonKey]) != string(source.Data[corev1.DockerConfigJsonKey]) {
			return fmt.Errorf("it is another one, of type %s", copied.Type)
		}
		return nil
	})
}
