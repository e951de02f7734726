// Package statements keeps signed statements in the organization's own cluster, its own ones and those of others that its
// plans refer to: one Statement object each, in the agent's namespace. From there they outlive the host and the agent. What
// comes from elsewhere is verified before it is kept. It must know nothing of how statements travel, nor of what is done with
// what they say.
package statements

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// Labels of a Statement object, so that it can be found without being read; the sequence is an annotation.
const (
	labelKind          = v1alpha1.GroupName + "/statement-kind"
	labelSubject       = v1alpha1.GroupName + "/statement-subject"
	annotationSequence = v1alpha1.GroupName + "/statement-sequence"
)

// Store keeps the statements. Its methods are safe for concurrent use. One agent at a time may use it: what there is is listed
// once.
type Store struct {
	// Client of the organization's own cluster, without a cache.
	Client client.Client
	// Namespace of the agent.
	Namespace string
	// Member whose agent this is.
	Member string
	// Owner is the field manager.
	Owner string
	// Pins reads the pinned roots of the other Members.
	Pins func(ctx context.Context) (statement.Pins, error)
	// Changed is called with a consortium's name once another of its statements is kept. It must not block. It may be nil.
	Changed func(consortium string)
	Now     func() time.Time

	mu     sync.Mutex
	listed bool
	// kept are the statements by consortium and object name.
	kept map[string]map[string]statement.Stored
	// rejected says why the last statement of a Member was not taken, by consortium and Member.
	rejected map[string]map[string]string
	arrivals map[string]int
}

// Get reads a statement; nil if it is not kept.
func (s *Store) Get(ctx context.Context, ref v1alpha1.StatementRef) (*v1alpha1.StatementSpec, error) {
	var object v1alpha1.Statement
	name := v1alpha1.StatementName(ref.Member, ref.Digest)
	err := s.Client.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: name}, &object)
	if apierrors.IsNotFound(err) {
		s.forget(name)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Statement %s: %w", name, err)
	}
	if statement.Digest(&object.Spec) != ref.Digest {
		return nil, fmt.Errorf("the Statement %s in namespace %s is not what its name says: delete it", name, s.Namespace)
	}
	return &object.Spec, nil
}

// Newest is the kept statement of a key with the highest sequence; not ok if there is none.
func (s *Store) Newest(ctx context.Context, consortium string, key statement.Key) (newest v1alpha1.StatementRef, sequence int64, ok bool, err error) {
	if err := s.list(ctx); err != nil {
		return newest, 0, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, it := range s.kept[consortium] {
		if it.Key == key && (!ok || it.Sequence > sequence) {
			newest, sequence, ok = refOf(name, key.Member), it.Sequence, true
		}
	}
	return newest, sequence, ok, nil
}

// Has is whether a statement is kept.
func (s *Store) Has(ctx context.Context, consortium string, ref v1alpha1.StatementRef) (bool, error) {
	if err := s.list(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.kept[consortium][v1alpha1.StatementName(ref.Member, ref.Digest)]
	return ok, nil
}

// Own are the kept statements of the own Member about a consortium.
func (s *Store) Own(ctx context.Context, consortium string) ([]v1alpha1.StatementRef, error) {
	if err := s.list(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var own []v1alpha1.StatementRef
	for name, it := range s.kept[consortium] {
		if it.Key.Member == s.Member {
			own = append(own, refOf(name, s.Member))
		}
	}
	return own, nil
}

// Arrivals counts the statements about a consortium that were kept since the start.
func (s *Store) Arrivals(consortium string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrivals[consortium]
}

// Rejected says why the last statement of a Member was not taken; empty if it was.
func (s *Store) Rejected(consortium, member string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rejected[consortium][member]
}

// Keep stores a statement that was verified, or signed here, and deletes those that it makes surplus.
func (s *Store) Keep(ctx context.Context, spec v1alpha1.StatementSpec) error {
	if err := s.list(ctx); err != nil {
		return err
	}
	object := s.object(spec)
	err := s.Client.Create(ctx, object, client.FieldOwner(s.Owner))
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("keep Statement %s: %w", object.Name, err)
	}
	surplus := s.add(object)
	for _, name := range surplus {
		gone := &v1alpha1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: name}}
		if err := s.Client.Delete(ctx, gone); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete Statement %s, which newer ones replace: %w", name, err)
		}
		s.forget(name)
	}
	if s.Changed != nil {
		s.Changed(spec.Consortium)
	}
	return nil
}

// Any is whether statements about a consortium are kept.
func (s *Store) Any(ctx context.Context, consortium string) (bool, error) {
	if err := s.list(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept[consortium]) > 0, nil
}

// Forget deletes all statements about a consortium, once it has been removed here. One that is kept at the same time may
// survive; Any says so.
func (s *Store) Forget(ctx context.Context, consortium string) error {
	s.mu.Lock()
	before := slices.Collect(maps.Keys(s.kept[consortium]))
	s.mu.Unlock()
	about := client.MatchingLabels{v1alpha1.LabelConsortium: consortium}
	if err := s.Client.DeleteAllOf(ctx, &v1alpha1.Statement{}, client.InNamespace(s.Namespace), about); err != nil {
		return fmt.Errorf("delete the statements about %s: %w", consortium, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range before {
		delete(s.kept[consortium], name)
	}
	if len(s.kept[consortium]) == 0 {
		delete(s.kept, consortium)
	}
	delete(s.rejected, consortium)
	delete(s.arrivals, consortium)
	return nil
}

// object is the Statement object of a statement.
func (s *Store) object(spec v1alpha1.StatementSpec) *v1alpha1.Statement {
	object := Object(spec, s.Namespace)
	object.Labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedBy
	object.Annotations = map[string]string{annotationSequence: strconv.FormatInt(spec.Sequence, 10)}
	return object
}

// Object is a statement as an object in a namespace, of this cluster or the host's.
func Object(spec v1alpha1.StatementSpec, namespace string) *v1alpha1.Statement {
	object := &v1alpha1.Statement{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: v1alpha1.StatementName(spec.Member, statement.Digest(&spec)),
			Labels: map[string]string{
				v1alpha1.LabelMember: spec.Member, v1alpha1.LabelConsortium: spec.Consortium, labelKind: string(spec.Kind),
			},
		},
		Spec: spec,
	}
	if spec.Subject != "" {
		object.Labels[labelSubject] = spec.Subject
	}
	return object
}

// add notes a kept statement and returns the names of those that are surplus.
func (s *Store) add(object *v1alpha1.Statement) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	about := s.kept[object.Spec.Consortium]
	if about == nil {
		about = map[string]statement.Stored{}
		s.kept[object.Spec.Consortium] = about
	}
	about[object.Name] = statement.Stored{Key: statement.KeyOf(&object.Spec), Sequence: object.Spec.Sequence, Name: object.Name}
	s.arrivals[object.Spec.Consortium]++
	delete(s.rejected[object.Spec.Consortium], object.Spec.Member)
	all := make([]statement.Stored, 0, len(about))
	for _, it := range about {
		all = append(all, it)
	}
	var names []string
	for _, it := range statement.Surplus(all) {
		names = append(names, it.Name)
	}
	return names
}

func (s *Store) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, about := range s.kept {
		delete(about, name)
	}
}

// list lists, once, what is kept: metadata only, since first blocks are large.
func (s *Store) list(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listed {
		return nil
	}
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("StatementList"))
	if err := s.Client.List(ctx, &list, client.InNamespace(s.Namespace)); err != nil {
		return fmt.Errorf("list the statements in namespace %s: %w", s.Namespace, err)
	}
	s.kept, s.rejected, s.arrivals = map[string]map[string]statement.Stored{}, map[string]map[string]string{}, map[string]int{}
	for i := range list.Items {
		o := &list.Items[i]
		sequence, err := strconv.ParseInt(o.Annotations[annotationSequence], 10, 64)
		if err != nil || o.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
			continue // not one of the agent's own
		}
		consortium := o.Labels[v1alpha1.LabelConsortium]
		if s.kept[consortium] == nil {
			s.kept[consortium] = map[string]statement.Stored{}
		}
		s.kept[consortium][o.Name] = statement.Stored{Name: o.Name, Sequence: sequence, Key: statement.Key{
			Member: o.Labels[v1alpha1.LabelMember], Kind: v1alpha1.StatementKind(o.Labels[labelKind]), Subject: o.Labels[labelSubject],
		}}
	}
	s.listed = true
	return nil
}

// refOf is the reference to a statement by the name of its object.
func refOf(name, member string) v1alpha1.StatementRef {
	return v1alpha1.StatementRef{Member: member, Digest: name[len(member)+1:]}
}

// errNotReferred is the error of a statement that the plan does not refer to.
var errNotReferred = errors.New("the plan does not refer to this statement")
