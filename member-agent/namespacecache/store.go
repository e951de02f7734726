package namespacecache

import (
	"sync"

	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// store has the objects of one kind in one namespace.
type store struct {
	// onChange is called for every object that is new, has changed or is gone, without a lock.
	onChange func(object client.Object, gone bool)
	// onSynced is called once, when the first list is in the store.
	onSynced func()
	// keep makes an object smaller before it is stored.
	keep func(object client.Object)

	mu     sync.RWMutex
	byName map[string]client.Object
	synced sync.Once
}

// set stores an object that is new or has changed.
func (s *store) set(object client.Object) {
	s.keep(object)
	s.mu.Lock()
	s.byName[object.GetName()] = object
	s.mu.Unlock()
	s.onChange(object, false)
}

// delete drops an object that is gone.
func (s *store) delete(object client.Object) {
	s.keep(object)
	s.mu.Lock()
	delete(s.byName, object.GetName())
	s.mu.Unlock()
	s.onChange(object, true)
}

// replace stores a list of all that there is. Objects that are in the store in the same version are not told again.
func (s *store) replace(list []client.Object) {
	next := make(map[string]client.Object, len(list))
	for _, object := range list {
		s.keep(object)
		next[object.GetName()] = object
	}
	s.mu.Lock()
	before := s.byName
	s.byName = next
	s.mu.Unlock()
	for name, object := range next {
		if old := before[name]; old == nil || old.GetUID() != object.GetUID() || old.GetResourceVersion() != object.GetResourceVersion() {
			s.onChange(object, false)
		}
	}
	for name, object := range before {
		if next[name] == nil {
			s.onChange(object, true)
		}
	}
	s.synced.Do(s.onSynced)
}

// get is an object by name; nil if there is none. It must not be modified.
func (s *store) get(name string) client.Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[name]
}

// list has the objects whose labels match, in no order. They must not be modified.
func (s *store) list(selector labels.Selector) []client.Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]client.Object, 0, len(s.byName))
	for _, object := range s.byName {
		if selector == nil || selector.Matches(labels.Set(object.GetLabels())) {
			all = append(all, object)
		}
	}
	return all
}
