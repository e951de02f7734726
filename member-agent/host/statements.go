package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/statements"
	"github.com/hanse-io/hanse/statement"
)

// Statements are those that the agent keeps in its own cluster.
type Statements interface {
	// Missing are the statements that a plan refers to and that are not kept.
	Missing(ctx context.Context, plan *v1alpha1.MemberPlan) ([]v1alpha1.StatementRef, error)
	// Take verifies one of them, and keeps it.
	Take(ctx context.Context, plan *v1alpha1.MemberPlan, ref v1alpha1.StatementRef, spec v1alpha1.StatementSpec) error
	// Own are the kept statements of the own Member about a consortium.
	Own(ctx context.Context, consortium string) ([]v1alpha1.StatementRef, error)
	// Get reads one; nil if it is not kept.
	Get(ctx context.Context, ref v1alpha1.StatementRef) (*v1alpha1.StatementSpec, error)
}

const (
	// fetchRetry is when a statement that the host does not have yet, or whose Member's root is not pinned yet, is first tried
	// again.
	fetchRetry = 500 * time.Millisecond
	// fetchRejected is when one is tried again that was rejected: another one has the digest only if the host is at fault.
	fetchRejected = time.Minute
	// republish is after what time an own statement is created on the host again, in case it is not there any more.
	republish = time.Hour
)

// fetchStatements takes from the host the statements that a plan refers to and that are not here, each whatever becomes of the
// others. It returns after what time to try again; zero if nothing is missing.
func (m *mirror) fetchStatements(ctx context.Context, plan *v1alpha1.MemberPlan) (time.Duration, error) {
	missing, err := m.link.options.Statements.Missing(ctx, plan)
	if err != nil {
		return 0, err
	}
	var again time.Duration
	var failed []error
	for _, ref := range missing {
		wait, err := m.fetch(ctx, plan, ref)
		if err != nil {
			m.conn.checkUnauthorized(err)
			failed = append(failed, err)
		}
		if wait > 0 && (again == 0 || wait < again) {
			again = wait
		}
	}
	return again, errors.Join(failed...)
}

// absence remembers since when statements are not to be had. It may be lost.
type absence struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// wait is after what time to look for a statement again: as long as it has been missing, from fetchRetry to fetchRejected. A
// Member may refer to one that it never publishes, for which the others must not ask without end.
func (a *absence) wait(name string, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since == nil || len(a.since) >= maxNames {
		a.since = map[string]time.Time{}
	}
	since, known := a.since[name]
	if !known {
		a.since[name] = now
		return fetchRetry
	}
	return min(max(now.Sub(since), fetchRetry), fetchRejected)
}

// forget is called for what is there again.
func (a *absence) forget(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.since, name)
}

func (m *mirror) fetch(ctx context.Context, plan *v1alpha1.MemberPlan, ref v1alpha1.StatementRef) (time.Duration, error) {
	var object v1alpha1.Statement
	key := client.ObjectKey{Namespace: v1alpha1.StatementsNamespace(plan.Spec.Consortium), Name: v1alpha1.StatementName(ref.Member, ref.Digest)}
	err := m.conn.client.Get(ctx, key, &object)
	var large errTooLarge
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return m.conn.absent.wait(key.Name, m.link.options.Now()), nil
	case errors.As(err, &large):
		return fetchRejected, nil
	case err != nil:
		return 0, fmt.Errorf("read the Statement %s of the host: %w", key.Name, err)
	}
	err = m.link.options.Statements.Take(ctx, plan, ref, object.Spec)
	switch {
	case errors.Is(err, statement.ErrNoRoot):
		return m.conn.absent.wait(key.Name, m.link.options.Now()), nil
	case err != nil && statement.Reason(err) != "other":
		if m.link.rejections.noticeLimiter.Allow() {
			m.link.log.Info("statement rejected", "consortium", plan.Spec.Consortium, "statement", key.Name, "error", err.Error())
			m.link.event(corev1.EventTypeWarning, v1alpha1.ReasonInvalid, "the host's Statement "+key.Name+" was rejected: "+err.Error())
		}
		return fetchRejected, nil
	}
	return 0, err
}

// errNotKept is the error of an own statement that is not kept any more: the consortium has been removed here, or the status
// is about to be written anew.
var errNotKept = errors.New("the statement is not kept any more")

// publishedNames are the own statements that the host had at some time of this session.
type publishedNames struct {
	mu    sync.Mutex
	names map[string]time.Time
}

// has is whether the host had a statement not longer than republish ago: somebody there may delete one.
func (p *publishedNames) has(name string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.names[name]
	return ok && now.Sub(at) < republish
}

func (p *publishedNames) add(name string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.names == nil {
		p.names = map[string]time.Time{}
	}
	p.names[name] = now
}

// publishStatements creates on the host the own statements that a status refers to. What it cannot create is left out of the
// status, which then has what the host had before.
func (m *mirror) publishStatements(ctx context.Context, plan *v1alpha1.MemberPlan, status *v1alpha1.MemberPlanStatus) error {
	var failed error
	created := false
	publish := func(digest *string, before string) {
		if *digest == "" {
			return
		}
		is, err := m.publish(ctx, plan, *digest)
		created = created || is
		if err != nil {
			*digest = before
		}
		if !errors.Is(err, errNotKept) {
			failed = errors.Join(failed, err)
		}
	}
	publish(&status.Record, plan.Status.Record)
	publish(&status.Holdings, plan.Status.Holdings)
	for i := range status.Channels {
		publish(&status.Channels[i].Genesis, reportedGenesis(plan, status.Channels[i].Name))
	}
	if created && failed == nil {
		failed = m.deleteSurplus(ctx, plan)
	}
	return failed
}

func reportedGenesis(plan *v1alpha1.MemberPlan, channel string) string {
	for i := range plan.Status.Channels {
		if c := &plan.Status.Channels[i]; c.Name == channel {
			return c.Genesis
		}
	}
	return ""
}

// publish creates one statement on the host; created is false if the host has it already.
func (m *mirror) publish(ctx context.Context, plan *v1alpha1.MemberPlan, digest string) (created bool, err error) {
	ref := v1alpha1.StatementRef{Member: m.link.options.Member, Digest: digest}
	name := v1alpha1.StatementName(ref.Member, ref.Digest)
	if m.conn.published.has(name, m.link.options.Now()) {
		return false, nil
	}
	spec, err := m.link.options.Statements.Get(ctx, ref)
	if err != nil {
		return false, err
	}
	if spec == nil {
		return false, errNotKept
	}
	err = m.conn.client.Create(ctx, statements.Object(*spec, v1alpha1.StatementsNamespace(plan.Spec.Consortium)), client.FieldOwner(ReportOwner))
	if err != nil && !apierrors.IsAlreadyExists(err) {
		m.conn.checkUnauthorized(err)
		return false, fmt.Errorf("publish the Statement %s on the host: %w", name, err)
	}
	m.conn.published.add(name, m.link.options.Now())
	return err == nil, nil
}

// deleteSurplus deletes those of the own statements on the host that are not kept here any more.
func (m *mirror) deleteSurplus(ctx context.Context, plan *v1alpha1.MemberPlan) error {
	own, err := m.link.options.Statements.Own(ctx, plan.Spec.Consortium)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, ref := range own {
		keep[v1alpha1.StatementName(ref.Member, ref.Digest)] = true
	}
	namespace := v1alpha1.StatementsNamespace(plan.Spec.Consortium)
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("StatementList"))
	if err := m.conn.client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelMember: m.link.options.Member}, client.Limit(maxNames)); err != nil {
		return fmt.Errorf("list the own statements on the host: %w", err)
	}
	for i := range list.Items {
		name := list.Items[i].Name
		if keep[name] {
			continue
		}
		gone := &v1alpha1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		if err := m.conn.client.Delete(ctx, gone); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete the Statement %s on the host, which newer ones replace: %w", name, err)
		}
	}
	return nil
}
