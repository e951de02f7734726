// Package genesis stores the first blocks of a consortium's channels in the organization's own cluster: one immutable
// ConfigMap for each channel in the consortium's namespace. Nodes join from there, also later, without the host and
// after changes of the plan. It must know nothing of what is in a block, of plans or of the host.
package genesis

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	shared "github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

const (
	// LabelChannel is on every ConfigMap of a first block and names the channel.
	LabelChannel = v1alpha1.GroupName + "/first-block"
	// annotationHash, annotationAgreed and annotationBytes describe a block, so that it need not be read.
	annotationHash   = v1alpha1.GroupName + "/first-block-hash"
	annotationAgreed = v1alpha1.GroupName + "/first-block-agreed"
	annotationBytes  = v1alpha1.GroupName + "/first-block-bytes"
)

// Limits of one consortium, whatever channels a host names: twice as many as one plan can have.
const (
	maxBlocks = 2 * v1alpha1.MaxPlanChannels
	maxBytes  = 64 << 20
)

// Store keeps the first blocks of one consortium.
type Store struct {
	// Client of the organization's own cluster, without a cache.
	Client client.Client
	// Namespace of the consortium in that cluster.
	Namespace  string
	Consortium string
	// Owner is the field manager.
	Owner string
}

var _ ledger.Pins = Store{}

// All lists the pins by channel.
func (s Store) All(ctx context.Context) (map[string]ledger.Pin, error) {
	kept, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	pins := map[string]ledger.Pin{}
	for i := range kept {
		if o := &kept[i]; o.Name == shared.FirstBlockName(o.Labels[LabelChannel]) {
			pins[o.Labels[LabelChannel]] = ledger.Pin{Hash: o.Annotations[annotationHash], Agreed: o.Annotations[annotationAgreed] == "true"}
		}
	}
	return pins, nil
}

// list reads the objects' metadata only: blocks are large.
func (s Store) list(ctx context.Context) ([]metav1.PartialObjectMetadata, error) {
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
	err := s.Client.List(ctx, &list, client.InNamespace(s.Namespace), client.HasLabels{LabelChannel})
	if err != nil {
		return nil, fmt.Errorf("list the first blocks in namespace %s: %w", s.Namespace, err)
	}
	return list.Items, nil
}

// Block is the packed block of a channel.
func (s Store) Block(ctx context.Context, channel string) ([]byte, error) {
	var cm corev1.ConfigMap
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: shared.FirstBlockName(channel)}, &cm); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.Where(channel), err)
	}
	return cm.BinaryData[shared.FirstBlockKey], nil
}

// Keep creates the ConfigMap of a channel.
func (s Store) Keep(ctx context.Context, channel, hash string, packed []byte) error {
	if err := s.checkCapacity(ctx, len(packed)); err != nil {
		return err
	}
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, Name: shared.FirstBlockName(channel),
			Labels:      map[string]string{LabelChannel: channel, v1alpha1.LabelConsortium: s.Consortium},
			Annotations: map[string]string{annotationHash: hash, annotationBytes: strconv.Itoa(len(packed))},
		},
		Immutable:  ptr.To(true),
		BinaryData: map[string][]byte{shared.FirstBlockKey: packed},
	}
	err := s.Client.Create(ctx, cm, client.FieldOwner(s.Owner))
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	pins, err := s.All(ctx)
	if err != nil {
		return err
	}
	if existing := pins[channel].Hash; existing != hash {
		return fmt.Errorf("%s holds another one already (%.12s…)", s.Where(channel), existing)
	}
	return nil
}

// checkCapacity fails if another block would exceed the limits.
func (s Store) checkCapacity(ctx context.Context, bytes int) error {
	kept, err := s.list(ctx)
	if err != nil {
		return err
	}
	for _, o := range kept {
		n, _ := strconv.Atoi(o.Annotations[annotationBytes])
		bytes += max(n, 0)
	}
	if len(kept) >= maxBlocks || bytes > maxBytes {
		return fmt.Errorf("namespace %s holds %d first blocks already; the limit is %d, of %d MiB together: delete those of channels that are not used any more (kubectl -n %s get configmaps -l %s)",
			s.Namespace, len(kept), maxBlocks, maxBytes>>20, s.Namespace, LabelChannel)
	}
	return nil
}

// Agree sets the annotation that the records of all members concerned have the block's hash.
func (s Store) Agree(ctx context.Context, channel string) error {
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: shared.FirstBlockName(channel)}}
	patch := []byte(`{"metadata":{"annotations":{"` + annotationAgreed + `":"true"}}}`)
	return s.Client.Patch(ctx, cm, client.RawPatch("application/merge-patch+json", patch), client.FieldOwner(s.Owner))
}

// Where names a channel's ConfigMap.
func (s Store) Where(channel string) string {
	return "ConfigMap " + shared.FirstBlockName(channel) + " in namespace " + s.Namespace
}

// Forget deletes all pins, after the consortium's nodes have been removed. A namespace that the agent may not read has
// none.
func (s Store) Forget(ctx context.Context) error {
	kept, err := s.list(ctx)
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, o := range kept {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: o.Name}}
		if err := s.Client.Delete(ctx, cm); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete ConfigMap %s in namespace %s: %w", o.Name, s.Namespace, err)
		}
	}
	return nil
}
