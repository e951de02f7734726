package host

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TestJoinPlan: a plan is joined with the definition that it refers to, and with no other.
func TestJoinPlan(t *testing.T) {
	definition := v1alpha1.Definition{
		Consortium: "trade", ConsortiumNamespace: "tenant", Ledger: v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric},
		Members: []v1alpha1.PlanMember{{Name: "org1", Root: "root"}, {Name: "org2"}},
	}
	other := definition
	other.ConsortiumNamespace = "elsewhere"
	good := definition.Encode()
	stored := func(digest string) *v1alpha1.MemberPlan {
		return &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
			Member: "org1", Consortium: "trade", ConsortiumNamespace: "tenant", Definition: &v1alpha1.PlanDefinition{Digest: digest},
		}}
	}
	many := v1alpha1.ConsortiumDefinitionSpec{Digest: good.Digest, Content: `{"members":[` + strings.Repeat("{},", maxValues) + `{}]}`}
	for _, row := range []struct {
		why    string
		digest string
		spec   v1alpha1.ConsortiumDefinitionSpec
		says   string
	}{
		{"the one that it refers to", good.Digest, good, ""},
		{"another one", strings.Repeat("0", 64), good, "another digest"},
		{"a content that is not of the digest", good.Digest, v1alpha1.ConsortiumDefinitionSpec{Digest: good.Digest, Content: "{}"}, "its content has the digest 44136fa"},
		{"a great many empty values", good.Digest, many, "more than 100000 values"},
		{"another consortium's", other.Encode().Digest, other.Encode(), `namespace "elsewhere"`},
	} {
		t.Run(row.why, func(t *testing.T) {
			plan := stored(row.digest)
			whole, err := joinPlan(plan, &row.spec)
			var wrong errDefinition
			if (err == nil) != (row.says == "") || err != nil && (!errors.As(err, &wrong) || !strings.Contains(err.Error(), row.says)) {
				t.Fatalf("%v, want %q", err, row.says)
			}
			if err == nil && (len(whole.Spec.Members) != 2 || whole.Spec.Ledger.Type != v1alpha1.LedgerFabric || whole.Spec.Definition != nil) {
				t.Errorf("%+v", whole.Spec)
			}
			if plan.Spec.Definition == nil || len(plan.Spec.Members) > 0 {
				t.Errorf("the stored plan was changed: %+v", plan.Spec)
			}
		})
	}
}

// TestRetireWithoutDefinition: what is mirrored is removed when the host says so, whatever has become of the definition.
func TestRetireWithoutDefinition(t *testing.T) {
	plan := func(retire bool, namespace string, members int) *v1alpha1.MemberPlan {
		p := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
			Member: "org1", Consortium: "trade", ConsortiumNamespace: namespace, Retire: retire, Members: make([]v1alpha1.PlanMember, members),
		}}
		p.ResourceVersion = "1"
		return p
	}
	unread := plan(false, "tenant", 2)
	unread.Undecodable = v1alpha1.Undecodable{{Path: "spec.nodes[0]"}}
	for _, row := range []struct {
		why            string
		stored, copied *v1alpha1.MemberPlan
		retires        bool
	}{
		{"it is not to be retired", plan(false, "tenant", 0), plan(false, "tenant", 2), false},
		{"it is", plan(true, "tenant", 0), plan(false, "tenant", 2), true},
		{"nothing is mirrored", plan(true, "tenant", 0), &v1alpha1.MemberPlan{}, false},
		{"another consortium of that name is", plan(true, "tenant", 0), plan(false, "elsewhere", 2), false},
		{"what is mirrored cannot be read", plan(true, "tenant", 0), unread, false},
	} {
		got := retire(row.stored, row.copied)
		if (got != nil) != row.retires || got != nil && (!got.Spec.Retire || len(got.Spec.Members) != 2 || row.copied.Spec.Retire) {
			t.Errorf("%s: %+v", row.why, got)
		}
	}
}

// TestDefinitionCache: however many definitions a host has, and however large they are, what is kept of them is bounded.
func TestDefinitionCache(t *testing.T) {
	var c definitionCache
	content := strings.Repeat("x", 100<<10)
	for i := range 200 {
		name, digest := fmt.Sprintf("c%d", i%60), fmt.Sprint(i)
		c.put(name, v1alpha1.ConsortiumDefinitionSpec{Digest: digest, Content: content})
		if _, kept := c.get(name, digest); !kept {
			t.Errorf("%d is not kept", i)
		}
		if _, kept := c.get(name, "other"); kept {
			t.Errorf("%d is kept for another digest", i)
		}
		bytes := 0
		for _, spec := range c.specs {
			bytes += len(spec.Content)
		}
		if bytes != c.bytes || bytes > maxDefinitions {
			t.Fatalf("%d bytes, counted %d", bytes, c.bytes)
		}
	}
}
