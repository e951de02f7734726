package configmap

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Sink writes a text to one key of one ConfigMap, whose other keys belong to others.
type Sink struct {
	Client       kubernetes.Interface
	Namespace    string
	Name         string
	Key          string
	FieldManager string
}

// Report writes the text.
func (s *Sink) Report(ctx context.Context, text []byte) error {
	err := s.patch(ctx, string(text))
	if apierrors.IsNotFound(err) {
		_, err = s.Client.CoreV1().ConfigMaps(s.Namespace).Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: s.Name, Namespace: s.Namespace, Labels: labels()},
			Data:       map[string]string{s.Key: string(text)},
		}, metav1.CreateOptions{FieldManager: s.FieldManager})
		if apierrors.IsAlreadyExists(err) { // another gateway was first
			err = s.patch(ctx, string(text))
		}
	}
	return s.explain(err)
}

// Withdraw removes the key.
func (s *Sink) Withdraw(ctx context.Context) error {
	err := s.patch(ctx, nil)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return s.explain(err)
}

// patch sets the key to a text, or removes it if value is nil.
func (s *Sink) patch(ctx context.Context, value any) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"labels": labels()},
		"data":     map[string]any{s.Key: value},
	})
	if err != nil {
		return err
	}
	_, err = s.Client.CoreV1().ConfigMaps(s.Namespace).Patch(ctx, s.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: s.FieldManager})
	return err
}

func (s *Sink) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write key %s of ConfigMap %s/%s: %w: the gateway's role must allow to create and patch it", s.Key, s.Namespace, s.Name, err)
}

func labels() map[string]string {
	return map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
}
