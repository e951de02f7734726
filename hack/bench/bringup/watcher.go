package bringup

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/harness"
)

const (
	planned = "plans made"
	ready   = "Consortium Ready"
)

// watcher notes on the host when each Member's plan, and the Consortium, reach each condition.
type watcher struct {
	client  client.WithWatch
	name    string
	members []string

	mu    sync.Mutex
	times map[string]map[string]time.Time // by milestone and Member
	said  string
	done  chan struct{}
	stops []func()
}

func newWatcher(s *harness.Harness, name string) (*watcher, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig("host"))
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	w := &watcher{name: name, members: s.Members, times: map[string]map[string]time.Time{}, done: make(chan struct{})}
	w.client, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
	return w, err
}

func (w *watcher) start(ctx context.Context) error {
	lists := map[string]client.ObjectList{"default": &v1alpha1.ConsortiumList{}}
	for _, member := range w.members {
		lists[v1alpha1.MemberNamespace(member)] = &v1alpha1.MemberPlanList{}
	}
	for namespace, list := range lists {
		events, err := w.client.Watch(ctx, list, client.InNamespace(namespace))
		if err != nil {
			w.stop()
			return fmt.Errorf("watch %s: %w", namespace, err)
		}
		w.stops = append(w.stops, events.Stop)
		go func() {
			for event := range events.ResultChan() {
				w.see(event.Object, time.Now())
			}
		}()
	}
	return nil
}

func (w *watcher) stop() {
	for _, stop := range w.stops {
		stop()
	}
}

func (w *watcher) see(o runtime.Object, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch it := o.(type) {
	case *v1alpha1.MemberPlan:
		if it.Name != w.name {
			return
		}
		w.note(planned, it.Spec.Member, true, now)
		for _, c := range it.Status.Conditions {
			w.note(c.Type, it.Spec.Member, c.Status == metav1.ConditionTrue, now)
		}
	case *v1alpha1.Consortium:
		if it.Name != w.name {
			return
		}
		c := meta.FindStatusCondition(it.Status.Conditions, v1alpha1.ConditionReady)
		if c == nil {
			return
		}
		w.said = c.Message
		w.note(ready, "", c.Status == metav1.ConditionTrue, now)
		if c.Status == metav1.ConditionTrue {
			select {
			case <-w.done:
			default:
				close(w.done)
			}
		}
	}
}

// note keeps the beginning of the time that something holds: what was true too early does not count.
func (w *watcher) note(milestone, member string, holds bool, now time.Time) {
	if w.times[milestone] == nil {
		w.times[milestone] = map[string]time.Time{}
	}
	if !holds {
		delete(w.times[milestone], member)
	} else if _, known := w.times[milestone][member]; !known {
		w.times[milestone][member] = now
	}
}

// wait waits until the Consortium is ready.
func (w *watcher) wait(ctx context.Context) error {
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		return fmt.Errorf("consortium %s is not ready: %w: %s", w.name, ctx.Err(), strings.TrimSpace(w.said))
	}
}

// reached says of each milestone when the last Member reached it.
func (w *watcher) reached() map[string]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := map[string]time.Time{}
	for milestone, times := range w.times {
		for _, at := range times {
			if at.After(last[milestone]) {
				last[milestone] = at
			}
		}
	}
	return last
}
