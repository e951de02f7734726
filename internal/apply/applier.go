package apply

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// CacheTTL is how long an applied object is assumed to be unchanged if no change of it is observed.
const CacheTTL = 5 * time.Minute

// Applier applies objects under one field manager.
type Applier struct {
	client client.Client
	owner  client.FieldOwner
	now    func() time.Time

	mu    sync.Mutex
	cache map[Key]entry
}

// Key names an object.
type Key struct {
	Kind schema.GroupKind
	Name client.ObjectKey
}

type entry struct {
	hash       [sha256.Size]byte
	generation int64
	// content is that of an object whose kind has no generation, as the API server returned it.
	content [sha256.Size]byte
	at      time.Time
}

// New returns an Applier that writes through c as the field manager owner.
func New(c client.Client, owner string, now func() time.Time) *Applier {
	return &Applier{client: c, owner: client.FieldOwner(owner), now: now, cache: map[Key]entry{}}
}

// Apply applies obj by server-side apply. It does nothing if it has applied the same within CacheTTL and has observed no
// change since.
func (a *Applier) Apply(ctx context.Context, obj client.Object) error {
	gvk, err := apiutil.GVKForObject(obj, a.client.Scheme())
	if err != nil {
		return fmt.Errorf("kind of %T: %w", obj, err)
	}
	// Usually there is nothing to do, so the conversion comes after the cache lookup.
	raw, err := json.Marshal(obj)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", gvk.Kind, obj.GetName(), err)
	}
	key, hash := Key{Kind: gvk.GroupKind(), Name: client.ObjectKeyFromObject(obj)}, sha256.Sum256(raw)
	if a.isCurrent(key, hash) {
		return nil
	}
	u, err := Unstructured(obj, a.client.Scheme())
	if err != nil {
		return err
	}
	if err := a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), a.owner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", u.GetKind(), key.Name, err)
	}
	e := entry{hash: hash, generation: u.GetGeneration(), at: a.now()}
	if e.generation == 0 {
		if e.content, err = contentOf(u, a.client.Scheme()); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cache[key] = e
	return nil
}

// contentOf hashes an object after conversion to its Go type, so that one from a response and one from a cache have the
// same hash.
func contentOf(u *unstructured.Unstructured, scheme *runtime.Scheme) (sum [sha256.Size]byte, err error) {
	typed, err := scheme.New(u.GroupVersionKind())
	if err != nil {
		return sum, fmt.Errorf("kind of %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, typed); err != nil {
		return sum, fmt.Errorf("convert %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return content(typed)
}

// content hashes an object without what is not part of the desired state: of its metadata only labels, annotations and
// owners count, and its status does not.
func content(obj runtime.Object) (sum [sha256.Size]byte, err error) {
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return sum, fmt.Errorf("convert %T: %w", obj, err)
	}
	metadata, _ := m["metadata"].(map[string]any)
	for _, field := range []string{"apiVersion", "kind", "status", "metadata"} {
		delete(m, field)
	}
	raw, err := json.Marshal([]any{m, metadata["labels"], metadata["annotations"], metadata["ownerReferences"]})
	if err != nil {
		return sum, fmt.Errorf("encode %T: %w", obj, err)
	}
	return sha256.Sum256(raw), nil
}

func (a *Applier) isCurrent(key Key, hash [sha256.Size]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.cache[key]
	return ok && e.hash == hash && a.now().Sub(e.at) < CacheTTL
}

// Observe tells the Applier the current state of an object, or that it was deleted. An object that was deleted, or has
// drifted from what was applied, is applied again in the next reconciliation.
func (a *Applier) Observe(obj client.Object, gone bool) {
	gvk, err := apiutil.GVKForObject(obj, a.client.Scheme())
	if err != nil {
		return
	}
	key := Key{Kind: gvk.GroupKind(), Name: client.ObjectKeyFromObject(obj)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.cache[key]; ok && (gone || e.drifted(obj)) {
		delete(a.cache, key)
	}
}

// drifted says whether an object differs from what was applied. ConfigMaps and Services, among others, have no
// generation: their content is compared.
func (e entry) drifted(obj client.Object) bool {
	if e.generation != obj.GetGeneration() {
		return true
	}
	if e.generation != 0 {
		return false
	}
	now, err := content(obj)
	return err != nil || now != e.content
}

// Forget drops a namespace's objects from the cache.
func (a *Applier) Forget(namespace string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.cache, func(k Key, _ entry) bool {
		return k.Name.Namespace == namespace || (k.Name.Namespace == "" && k.Name.Name == namespace)
	})
}

// Unstructured is obj as the body of an apply request: with its kind, and without fields that only the server sets.
func Unstructured(obj client.Object, scheme *runtime.Scheme) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(obj, scheme)
	if err != nil {
		return nil, fmt.Errorf("kind of %T: %w", obj, err)
	}
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, fmt.Errorf("convert %s %s: %w", gvk.Kind, obj.GetName(), err)
	}
	u := &unstructured.Unstructured{Object: m}
	u.SetGroupVersionKind(gvk)
	for _, field := range [][]string{
		{"status"},
		{"metadata", "creationTimestamp"},
		{"metadata", "managedFields"},
		{"metadata", "resourceVersion"},
		{"metadata", "generation"},
		{"metadata", "uid"},
		{"spec", "template", "metadata", "creationTimestamp"},
	} {
		unstructured.RemoveNestedField(u.Object, field...)
	}
	return u, nil
}
