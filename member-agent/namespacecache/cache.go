package namespacecache

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Kind is one to watch.
type Kind struct {
	Object client.Object
	// Resource of a kind that the API server may not serve, by its plural name: the cache is complete without its objects then,
	// and has them once it is served. Empty for a kind of Kubernetes' own.
	Resource string
	// Labels of the objects that are watched; nil for all.
	Labels labels.Selector
	// Keep makes an object smaller before it is stored; nil leaves it as it is. Managed fields are not stored in any case.
	Keep func(object client.Object)
}

// Watcher makes caches, which share its connection to the API server.
type Watcher struct {
	scheme   *runtime.Scheme
	kinds    []watchedKind
	minWatch time.Duration
}

// watchedKind is a Kind with what it is asked for by.
type watchedKind struct {
	Kind
	gvk      schema.GroupVersionKind
	resource string
	client   rest.Interface
	decoders
}

// NewWatcher returns a Watcher of some kinds. config must have no client-side rate limit.
func NewWatcher(config *rest.Config, http *http.Client, scheme *runtime.Scheme, mapper meta.RESTMapper, kinds []Kind) (*Watcher, error) {
	w, codecs := &Watcher{scheme: scheme, minWatch: minWatch}, serializer.NewCodecFactory(scheme)
	for _, kind := range kinds {
		k, err := newWatchedKind(config, http, codecs, scheme, mapper, kind)
		if err != nil {
			return nil, fmt.Errorf("watch %T: %w", kind.Object, err)
		}
		w.kinds = append(w.kinds, k)
	}
	return w, nil
}

func newWatchedKind(config *rest.Config, http *http.Client, codecs serializer.CodecFactory, scheme *runtime.Scheme, mapper meta.RESTMapper, kind Kind) (k watchedKind, err error) {
	k.Kind = kind
	if k.gvk, err = apiutil.GVKForObject(kind.Object, scheme); err != nil {
		return k, err
	}
	media := runtime.ContentTypeJSON
	if k.resource = kind.Resource; k.resource == "" {
		mapping, err := mapper.RESTMapping(k.gvk.GroupKind(), k.gvk.Version)
		if err != nil {
			return k, err
		}
		k.resource, media = mapping.Resource.Resource, runtime.ContentTypeProtobuf
	}
	if k.client, err = apiutil.RESTClientForGVK(k.gvk, media == runtime.ContentTypeJSON, false, config, codecs, http); err != nil {
		return k, err
	}
	negotiator := runtime.NewClientNegotiator(codecs.WithoutConversion(), k.gvk.GroupVersion())
	k.objects, k.stream, k.framer, err = negotiator.StreamDecoder(media, nil)
	return k, err
}

// Cache is a cache of one namespace. It is complete once onSynced of Watch has been called.
type Cache struct {
	namespace string
	scheme    *runtime.Scheme
	stores    map[schema.GroupVersionKind]*store
}

var _ client.Reader = &Cache{}

// Watch watches a namespace until ctx ends. onChange is called for every object that is there, changes or goes; onSynced
// once, when all of them have been read. Neither may block.
func (w *Watcher) Watch(ctx context.Context, namespace string, onChange func(object client.Object, gone bool), onSynced func()) *Cache {
	c := &Cache{namespace: namespace, scheme: w.scheme, stores: map[schema.GroupVersionKind]*store{}}
	var missing atomic.Int64
	missing.Store(int64(len(w.kinds)))
	synced := func() {
		if missing.Add(-1) == 0 {
			onSynced()
		}
	}
	for i := range w.kinds {
		kind := &w.kinds[i]
		c.stores[kind.gvk] = &store{onChange: onChange, onSynced: synced, keep: kind.keep, byName: map[string]client.Object{}}
	}
	for i := range w.kinds {
		go w.kinds[i].follow(ctx, namespace, w.minWatch, c.stores[w.kinds[i].gvk])
	}
	return c
}

// keep makes an object smaller.
func (k *watchedKind) keep(object client.Object) {
	object.SetManagedFields(nil)
	if k.Keep != nil {
		k.Keep(object)
	}
}
