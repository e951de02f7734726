package conditions

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/scrape"
)

// stored is a cache that holds Lines as the API server would send them, and fails while it holds none.
type stored struct {
	client.Reader
	lines string
}

func (s *stored) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if s.lines == "" {
		return errors.New("the cache has not been started")
	}
	return json.Unmarshal([]byte(s.lines), list)
}

var lines = Kind{
	Name: "Line",
	List: func() client.ObjectList { return &v1alpha1.LineList{} },
	Of: func(o client.Object) []metav1.Condition {
		line, _ := o.(*v1alpha1.Line)
		return line.Status.Conditions
	},
}

const (
	up   = `{"metadata":{"name":"a-b"},"status":{"conditions":[{"type":"Ready","status":"True","reason":"Up"}]}}`
	down = `{"metadata":{"name":"a-b"},"status":{"conditions":[{"type":"Ready","status":"False","reason":"Down"}]}}`
)

// TestCollect reads a cache that changes between the scrapes.
func TestCollect(t *testing.T) {
	cache, registry := &stored{}, prometheus.NewPedanticRegistry()
	if err := Register(registry, cache, []Kind{lines}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why, lines string
		want       []string
	}{
		{"a cache that is not synced is not shown as empty", ``, nil},
		{"an object with its condition", `{"items":[` + up + `]}`, []string{
			`hanse_object_condition{kind="Line",name="a-b",object_namespace="",reason="Up",status="True",type="Ready"} 1`,
			`hanse_objects{kind="Line"} 1`,
		}},
		{"a condition that changes leaves no series of what it was", `{"items":[` + down + `]}`, []string{
			`hanse_object_condition{kind="Line",name="a-b",object_namespace="",reason="Down",status="False",type="Ready"} 1`,
			`hanse_objects{kind="Line"} 1`,
		}},
		{"an object without a status yet", `{"items":[{"metadata":{"name":"new"}}]}`, []string{`hanse_objects{kind="Line"} 1`}},
		{"series end with their object", `{"items":[]}`, []string{`hanse_objects{kind="Line"} 0`}},
	} {
		cache.lines = c.lines
		if got := scrape.Hanse(t, registry); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.why, got)
		}
	}
}

// TestRegisterAgain: a second manager in one process takes the place of the first.
func TestRegisterAgain(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	for _, items := range []string{`{"items":[` + up + `]}`, `{"items":[]}`} {
		if err := Register(registry, &stored{lines: items}, []Kind{lines}); err != nil {
			t.Fatal(err)
		}
	}
	if got := scrape.Hanse(t, registry); !slices.Equal(got, []string{`hanse_objects{kind="Line"} 0`}) {
		t.Errorf("series of the first cache are left: %q", got)
	}
}
