package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// annotationImage is on a node's StatefulSet the image as the plan declares it, where it is pulled under another reference.
const annotationImage = v1alpha1.GroupName + "/image"

// Pull is how the organization's cluster gets the images of nodes and contracts.
type Pull struct {
	// Reference turns a declared reference into the one that is pulled; nil leaves every reference as it is declared.
	Reference func(declared string) string
	// Secrets are the names of the Secrets in the agent's namespace with which images are pulled.
	Secrets []string
}

// workload is the workload with the references that are pulled.
func (p Pull) workload(w ledger.Workload) ledger.Workload {
	if p.Reference == nil && len(p.Secrets) == 0 {
		return w
	}
	w.Pod = *w.Pod.DeepCopy()
	for _, containers := range [][]corev1.Container{w.Pod.InitContainers, w.Pod.Containers} {
		for i := range containers {
			if p.Reference != nil {
				containers[i].Image = p.Reference(containers[i].Image)
			}
		}
	}
	for _, name := range p.Secrets {
		w.Pod.ImagePullSecrets = append(w.Pod.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	return w
}

// desired is Desired with the references that are pulled. A node's StatefulSet keeps the declared one beside it, which the host
// is told.
func (p Pull) desired(plan *v1alpha1.MemberPlan, w ledger.Workload, digests map[string]string) Set {
	set := Desired(plan, p.workload(w), digests)
	set.Workload = w
	if set.StatefulSet != nil && len(w.Pod.Containers) > 0 && set.StatefulSet.Spec.Template.Spec.Containers[0].Image != w.Pod.Containers[0].Image {
		set.StatefulSet.Annotations[annotationImage] = w.Pod.Containers[0].Image
	}
	return set
}

// declaredImage is the image of a node's first container as the plan declared it.
func declaredImage(current *appsv1.StatefulSet) string {
	if declared := current.Annotations[annotationImage]; declared != "" {
		return declared
	}
	return current.Spec.Template.Spec.Containers[0].Image
}

// ensurePullSecrets copies the Secrets with which images are pulled into the consortium's namespace, since pods can only name
// Secrets of their own. Without one, images are pulled anonymously; so a missing one is an error that blocks no workload.
func (p *Phase) ensurePullSecrets(ctx context.Context, reader client.Reader, plan *v1alpha1.MemberPlan) error {
	var failed []error
	for _, name := range p.Pull.Secrets {
		if err := p.ensurePullSecret(ctx, reader, plan, name); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (p *Phase) ensurePullSecret(ctx context.Context, reader client.Reader, plan *v1alpha1.MemberPlan, name string) error {
	var source, current corev1.Secret
	err := p.Direct.Get(ctx, client.ObjectKey{Namespace: p.Agent.Namespace, Name: name}, &source)
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("images are pulled without Secret %s, which namespace %s does not have: create it there, or take it out of imagePullSecrets of the member-agent chart", name, p.Agent.Namespace)
	}
	if err != nil {
		return fmt.Errorf("read Secret %s, with which images are pulled: %w", name, err)
	}
	err = reader.Get(ctx, client.ObjectKey{Namespace: plan.Spec.Namespace, Name: name}, &current)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read Secret %s in %s: %w", name, plan.Spec.Namespace, err)
	}
	copied, problem := pullSecret(plan, &source, &current)
	if problem != "" || copied == nil {
		if problem == "" {
			return nil
		}
		return errors.New(problem)
	}
	return p.Applier.Apply(ctx, copied)
}

var pullSecretTypes = []corev1.SecretType{corev1.SecretTypeDockerConfigJson, corev1.SecretTypeDockercfg}

// pullSecret is the copy of a Secret for a consortium's namespace, where current is the Secret of that name, if there is one:
// nil if the organization has put one there itself, and a problem if either is of another type, such as a node's key.
func pullSecret(plan *v1alpha1.MemberPlan, source, current *corev1.Secret) (copied *corev1.Secret, problem string) {
	if !slices.Contains(pullSecretTypes, source.Type) {
		return nil, fmt.Sprintf("Secret %s in namespace %s has the type %s, with which no image can be pulled: create it with kubectl create secret docker-registry", source.Name, source.Namespace, source.Type)
	}
	if current.Name != "" {
		if !slices.Contains(pullSecretTypes, current.Type) {
			return nil, fmt.Sprintf("Secret %s in namespace %s holds something else than access to a registry: give the one in imagePullSecrets of the member-agent chart another name", current.Name, plan.Spec.Namespace)
		}
		if current.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
			return nil, ""
		}
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: source.Name, Labels: planLabels(plan)},
		Type:       source.Type, Data: source.Data,
	}, ""
}
