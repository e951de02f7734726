// Package configmap exchanges the gateway's routes and reports by ConfigMaps of its own namespace: it watches one and
// writes its own key of another, and needs no other rights. It must not know what the texts mean.
package configmap

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Source watches one key of one ConfigMap. The gateway's role allows get, list and watch for that resourceName alone,
// which is enough because the field selector names the object.
type Source struct {
	Client    kubernetes.Interface
	Namespace string
	Name      string
	Key       string
}

// Watch calls changed with the key's text, now and whenever it changes, until ctx ends; not for a removal. It retries
// while the API server is unreachable.
func (s *Source) Watch(ctx context.Context, changed func(text []byte)) error {
	last, seen := "", false
	notify := func(object any) {
		cm, ok := object.(*corev1.ConfigMap)
		if !ok {
			return
		}
		text, ok := cm.Data[s.Key]
		if !ok || seen && text == last {
			return
		}
		last, seen = text, true
		changed([]byte(text))
	}
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.NewListWatchFromClient(s.Client.CoreV1().RESTClient(), "configmaps", s.Namespace,
			fields.OneTermEqualSelector("metadata.name", s.Name)),
		ObjectType: &corev1.ConfigMap{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { notify(object) },
			UpdateFunc: func(_, object any) { notify(object) },
		},
	})
	controller.RunWithContext(ctx)
	return ctx.Err()
}
