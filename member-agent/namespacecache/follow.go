package namespacecache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	restwatch "k8s.io/client-go/rest/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// minWatch is how long a watch lasts at least, and half of how long at most, so that not all of them end at once.
	minWatch = 30 * time.Minute
	// shortWatch is how long a watch lasts at least that was none of those that an API server ends at once.
	shortWatch = time.Second
	// firstDelay and maxDelay bound the time before the next try.
	firstDelay = 500 * time.Millisecond
	maxDelay   = 30 * time.Second
	// recovered is how long everything has to go well before delays begin with the first again.
	recovered = 2 * time.Minute
)

// follow keeps a store up to date until ctx ends: it lists, and watches from there, each time as long as lasting; and lists
// again when the API server does not know that version any more.
func (k *watchedKind) follow(ctx context.Context, namespace string, lasting time.Duration, s *store) {
	version, failures := "", 0
	for ctx.Err() == nil {
		began := time.Now()
		var err error
		if version == "" {
			version, err = k.list(ctx, namespace, s)
		} else {
			version, err = k.watch(ctx, namespace, version, lasting, s)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if isUnknownVersion(err) {
			version = ""
		}
		if k.Resource != "" && apierrors.IsNotFound(err) { // not served
			s.replace(nil)
		}
		log.FromContext(ctx).V(1).Info("watch again", "kind", k.gvk.Kind, "namespace", namespace, "error", err.Error())
		if failures++; time.Since(began) > recovered {
			failures = 1
		}
		sleep(ctx, delay(failures))
	}
}

// isUnknownVersion is whether a watch cannot go on from where it was: the API server has said so, or has said something
// else that no other try will change.
func isUnknownVersion(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && !apierrors.IsTooManyRequests(err) && !apierrors.IsServiceUnavailable(err)
}

// delay before the next try after so many failures: doubling, and up to twice as long.
func delay(failures int) time.Duration {
	least := min(firstDelay<<min(failures-1, 10), maxDelay)
	return least + rand.N(least)
}

func sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// options of both requests.
func (k *watchedKind) options() metav1.ListOptions {
	o := metav1.ListOptions{}
	if k.Labels != nil {
		o.LabelSelector = k.Labels.String()
	}
	return o
}

// list replaces the store's content by what there is, and returns its version.
func (k *watchedKind) list(ctx context.Context, namespace string, s *store) (version string, err error) {
	options := k.options()
	list, err := k.client.Get().Namespace(namespace).Resource(k.resource).VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Get()
	if err != nil {
		return "", fmt.Errorf("list: %w", err)
	}
	about, err := meta.ListAccessor(list)
	if err != nil {
		return "", err
	}
	objects, err := meta.ExtractList(list)
	if err != nil {
		return "", err
	}
	all := make([]client.Object, 0, len(objects))
	for _, object := range objects {
		o, err := objectOf(object)
		if err != nil {
			return "", err
		}
		all = append(all, o)
	}
	s.replace(all)
	return about.GetResourceVersion(), nil
}

// watch takes over changes from a version on until the API server ends the watch. It returns the last version that it has
// seen, with an error too.
func (k *watchedKind) watch(ctx context.Context, namespace, version string, lasting time.Duration, s *store) (string, error) {
	began, options := time.Now(), k.options()
	seconds := int64((lasting + rand.N(lasting)).Seconds())
	options.Watch, options.ResourceVersion, options.AllowWatchBookmarks, options.TimeoutSeconds = true, version, true, &seconds
	// Not Request.Watch, which has a goroutine more for each watch.
	body, err := k.client.Get().Namespace(namespace).Resource(k.resource).VersionedParams(&options, metav1.ParameterCodec).Stream(ctx)
	if err != nil {
		return version, fmt.Errorf("watch: %w", err)
	}
	events := k.decoder(body)
	defer events.Close()
	for seen := 0; ; seen++ {
		kind, object, err := events.Decode()
		switch {
		case errors.Is(err, io.EOF) && (seen > 0 || time.Since(began) > shortWatch):
			return version, nil
		case err != nil:
			return version, fmt.Errorf("watch: %w", err)
		case kind == watch.Error:
			return version, fmt.Errorf("watch: %w", apierrors.FromObject(object))
		}
		o, err := objectOf(object)
		if err != nil {
			return version, err
		}
		version = o.GetResourceVersion()
		switch kind {
		case watch.Added, watch.Modified:
			s.set(o)
		case watch.Deleted:
			s.delete(o)
		}
	}
}

// decoder of a watch's events.
func (k *watchedKind) decoder(body io.ReadCloser) *restwatch.Decoder {
	return restwatch.NewDecoder(streaming.NewDecoder(k.framer.NewFrameReader(body), k.stream), k.objects)
}

// decoders are those for what the API server answers to a kind's client.
type decoders struct {
	objects runtime.Decoder
	stream  runtime.Serializer
	framer  runtime.Framer
}

func objectOf(object any) (client.Object, error) {
	o, ok := object.(client.Object)
	if !ok {
		return nil, fmt.Errorf("the API server has sent a %T, which is not an object", object)
	}
	return o, nil
}
