package configmap

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Sink applies a text to one key of one ConfigMap.
type Sink struct {
	Client       kubernetes.Interface
	Namespace    string
	Name         string
	Key          string
	FieldManager string
}

// Report applies the text server-side.
func (s *Sink) Report(ctx context.Context, text []byte) error {
	object := corev1apply.ConfigMap(s.Name, s.Namespace).
		WithLabels(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}).
		WithData(map[string]string{s.Key: string(text)})
	_, err := s.Client.CoreV1().ConfigMaps(s.Namespace).Apply(ctx, object, metav1.ApplyOptions{FieldManager: s.FieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("apply ConfigMap %s/%s: %w: the gateway's role must allow to create and patch it", s.Namespace, s.Name, err)
	}
	return nil
}
