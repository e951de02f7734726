package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// maxNames is the maximum number of plans on the host that are read. It is far more than an organization allows.
	maxNames = 1000
	// pageSize is the page size of the list of names.
	pageSize = 100
	// maxValues is how many values the JSON of a plan may have: an empty object takes three bytes in it, and a hundred here.
	maxValues = 100_000
)

// errInvalidPlan says that the host's plan cannot be read.
type errInvalidPlan struct{ why string }

func (e errInvalidPlan) Error() string { return e.why }

// planReader reads one member's plans on the host: names are listed, plans are watched or read one at a time, and only few and
// small ones are kept, so that the host does not determine how much memory the agent needs.
type planReader struct {
	recent    *recentPlans
	namespace string
	plans     rest.Interface
	names     metadata.ResourceInterface
}

func newPlanReader(config *rest.Config, transport *http.Client, scheme *runtime.Scheme, namespace string) (planReader, error) {
	c := rest.CopyConfig(config)
	c.APIPath, c.GroupVersion = "/apis", &v1alpha1.GroupVersion
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	plans, err := rest.RESTClientForConfigAndClient(c, transport)
	if err != nil {
		return planReader{}, fmt.Errorf("make a client for the host's plans: %w", err)
	}
	names, err := metadata.NewForConfigAndClient(metadata.ConfigFor(config), transport)
	if err != nil {
		return planReader{}, fmt.Errorf("make a client for the names of the host's plans: %w", err)
	}
	return planReader{
		recent:    &recentPlans{},
		namespace: namespace, plans: plans,
		names: names.Resource(v1alpha1.GroupVersion.WithResource("memberplans")).Namespace(namespace),
	}, nil
}

// get reads a plan, unless it is kept and has not changed. A plan that is too large, or that cannot be decoded, is an
// errInvalidPlan.
func (r planReader) get(ctx context.Context, name string) (*v1alpha1.MemberPlan, error) {
	if plan := r.recent.get(name); plan != nil {
		return plan, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	raw, err := r.plans.Get().Namespace(r.namespace).Resource("memberplans").Name(name).Do(ctx).Raw()
	var large errTooLarge
	if errors.As(err, &large) {
		return nil, errInvalidPlan{fmt.Sprintf("it has more than %d bytes", large.limit)}
	}
	if err != nil {
		return nil, err
	}
	plan, err := decode(raw, name, r.namespace)
	if err == nil {
		r.recent.keep(plan, len(raw))
	}
	return plan, err
}

// decode reads the JSON of a plan that was asked for by its name.
func decode(raw []byte, name, namespace string) (*v1alpha1.MemberPlan, error) {
	if countValues(raw) > maxValues {
		return nil, errInvalidPlan{fmt.Sprintf("it has more than %d values", maxValues)}
	}
	plan := &v1alpha1.MemberPlan{}
	if err := json.Unmarshal(raw, plan); err != nil {
		return nil, errInvalidPlan{fmt.Sprintf("it cannot be decoded: %.512s", err.Error())}
	}
	if plan.Name != name || plan.Namespace != namespace {
		return nil, errInvalidPlan{"the host has answered with another object"}
	}
	return plan, nil
}

// countValues is how many values a JSON text may have, at the most.
func countValues(raw []byte) int {
	values := 0
	for _, b := range raw {
		if b == ',' || b == '{' || b == '[' {
			values++
		}
	}
	return values
}

// run calls found for every plan, and again whenever one changes, until ctx ends; and failed for errors.
func (r planReader) run(ctx context.Context, found func(name string), failed func(error)) {
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		err := r.listAndWatch(ctx, found)
		if time.Since(began) > time.Minute {
			failures = 0
		}
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		// Back off also if a watch ends at once.
		sleep(ctx, backoff(failures))
		failures++
	}
}

func (r planReader) listAndWatch(ctx context.Context, found func(name string)) error {
	known := nameSet{}
	r.recent.reset()
	version := ""
	for next := ""; ; {
		list, err := r.names.List(ctx, metav1.ListOptions{Limit: pageSize, Continue: next})
		if err != nil {
			return fmt.Errorf("list the host's plans: %w", err)
		}
		for i := range list.Items {
			r.shown(&list.Items[i], known, found)
		}
		version, next = list.ResourceVersion, list.Continue
		if next == "" || len(known) >= maxNames {
			break
		}
	}
	return r.watch(ctx, version, known, found)
}

// shown passes on a plan that the list or the watch shows.
func (r planReader) shown(about metav1.Object, known nameSet, found func(string)) {
	known.add(about.GetName(), func(name string) {
		r.recent.changed(name, about.GetResourceVersion())
		found(name)
	})
}

// nameSet holds the names that were passed on since the last list.
type nameSet map[string]bool

// add passes on a valid name of a plan, unless there are too many.
func (n nameSet) add(name string, found func(string)) {
	if !v1alpha1.IsLabel(name) || len(name) > v1alpha1.MaxConsortiumName {
		return
	}
	if !n[name] && len(n) >= maxNames {
		return
	}
	n[name] = true
	found(name)
}
