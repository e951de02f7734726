package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// definitionPatience is how long a plan's definition may be missing before that is reported as the host's fault. The host
	// replaces it just before the plans.
	definitionPatience = 10 * time.Second
	// maxDefinitions is how much of definitions is kept, in bytes.
	maxDefinitions = 4 << 20
)

// errDefinition says why the definition that a plan refers to is not used.
type errDefinition struct{ why string }

func (e errDefinition) Error() string { return e.why }

// join is the whole plan: with its definition, if it refers to one. A definition that the host does not have is waited for: plan
// is nil, and again says when to look. One that is not what the plan says, or that is missing for long, is an errDefinition.
func (m *mirror) join(ctx context.Context, stored, copied *v1alpha1.MemberPlan) (plan *v1alpha1.MemberPlan, again time.Duration, err error) {
	ref := stored.Spec.Definition
	if ref == nil {
		return stored, 0, nil
	}
	if retired := retire(stored, copied); retired != nil {
		return retired, 0, nil
	}
	spec, kept := m.conn.definitions.get(stored.Name, ref.Digest)
	if !kept {
		if spec, again, err = m.readDefinition(ctx, stored.Name, ref.Digest); err != nil || again > 0 {
			return nil, again, err
		}
	}
	plan, err = joinPlan(stored, &spec)
	if err == nil && !kept {
		m.conn.definitions.put(stored.Name, spec)
	}
	return plan, 0, err
}

// retire is the plan of what is mirrored here, to be retired; nil if the stored plan does not say so. What is to be removed is what
// there is: a consortium that is being deleted does not depend on its definition.
func retire(stored, copied *v1alpha1.MemberPlan) *v1alpha1.MemberPlan {
	if !stored.Spec.Retire || copied.ResourceVersion == "" || !copied.Undecodable.InStatus() || copied.Spec.ConsortiumNamespace != stored.Spec.ConsortiumNamespace {
		return nil
	}
	plan := *stored
	plan.Spec = *copied.Spec.DeepCopy()
	plan.Spec.Retire = true
	return &plan
}

// readDefinition reads a consortium's definition from the host, if it is the one of that digest.
func (m *mirror) readDefinition(ctx context.Context, consortium, digest string) (spec v1alpha1.ConsortiumDefinitionSpec, again time.Duration, err error) {
	var object v1alpha1.ConsortiumDefinition
	key := client.ObjectKey{Namespace: v1alpha1.StatementsNamespace(consortium), Name: consortium}
	missing := consortium + "/" + digest
	err = m.conn.client.Get(ctx, key, &object)
	var large errTooLarge
	switch {
	case err == nil && object.Spec.Digest == digest:
		m.conn.absent.forget(missing)
		return object.Spec, 0, nil
	case err == nil, apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		if again = m.conn.absent.wait(missing, m.link.options.Now()); again >= definitionPatience {
			return spec, 0, errDefinition{fmt.Sprintf("the host does not have the definition %.64s to which the plan refers, as ConsortiumDefinition %s", digest, key)}
		}
		return spec, again, nil
	case errors.As(err, &large):
		return spec, 0, errDefinition{fmt.Sprintf("ConsortiumDefinition %s has more than %d bytes", key, large.limit)}
	}
	return spec, 0, fmt.Errorf("read the ConsortiumDefinition %s of the host: %w", key, err)
}

// joinPlan joins a plan with the definition that the host has given for it, and checks that it is the one.
func joinPlan(stored *v1alpha1.MemberPlan, spec *v1alpha1.ConsortiumDefinitionSpec) (*v1alpha1.MemberPlan, error) {
	if has := countValues([]byte(spec.Content)); has > maxValues {
		return nil, errDefinition{fmt.Sprintf("the definition to which the plan refers is rejected: it has more than %d values", maxValues)}
	}
	if spec.Digest != stored.Spec.Definition.Digest {
		return nil, errDefinition{"the definition to which the plan refers is rejected: it has another digest"}
	}
	definition, err := spec.Decode()
	if err != nil {
		return nil, errDefinition{"the definition to which the plan refers is rejected: " + err.Error()}
	}
	plan := *stored
	if plan.Spec, err = definition.Join(&stored.Spec); err != nil {
		return nil, errDefinition{"the definition to which the plan refers is rejected: " + err.Error()}
	}
	return &plan, nil
}

// definitionCache keeps the definitions that were read last, by consortium, as the host has them: a plan is reconciled far
// more often than its definition changes. It may be lost.
type definitionCache struct {
	mu    sync.Mutex
	specs map[string]v1alpha1.ConsortiumDefinitionSpec
	bytes int
}

func (c *definitionCache) get(consortium, digest string) (v1alpha1.ConsortiumDefinitionSpec, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	spec, ok := c.specs[consortium]
	return spec, ok && spec.Digest == digest
}

func (c *definitionCache) put(consortium string, spec v1alpha1.ConsortiumDefinitionSpec) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes -= len(c.specs[consortium].Content)
	if c.specs == nil || c.bytes+len(spec.Content) > maxDefinitions {
		c.specs, c.bytes = map[string]v1alpha1.ConsortiumDefinitionSpec{}, 0
	}
	c.specs[consortium] = spec
	c.bytes += len(spec.Content)
}
