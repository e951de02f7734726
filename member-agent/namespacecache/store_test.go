package namespacecache

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func configMap(name, uid, version string) client.Object {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(uid), ResourceVersion: version}}
}

// TestStore: what is told of each step, and what is there after it.
func TestStore(t *testing.T) {
	var told []string
	synced := 0
	s := &store{
		keep: func(client.Object) {}, byName: map[string]client.Object{}, onSynced: func() { synced++ },
		onChange: func(o client.Object, gone bool) {
			text := o.GetName() + "@" + o.GetResourceVersion()
			if gone {
				text = "-" + text
			}
			told = append(told, text)
		},
	}
	for _, step := range []struct {
		why         string
		do          func()
		told, there string
	}{
		{"the first list", func() { s.replace([]client.Object{configMap("a", "1", "1"), configMap("b", "2", "2")}) }, "a@1 b@2", "a b"},
		{"a change", func() { s.set(configMap("a", "1", "3")) }, "a@3", "a b"},
		{"a new object", func() { s.set(configMap("c", "3", "4")) }, "c@4", "a b c"},
		{"one is deleted", func() { s.delete(configMap("b", "2", "5")) }, "-b@5", "a c"},
		{"a list with the same", func() { s.replace([]client.Object{configMap("a", "1", "3"), configMap("c", "3", "4")}) }, "", "a c"},
		{"a list that shows a change, and one that is gone", func() { s.replace([]client.Object{configMap("a", "1", "7")}) }, "-c@4 a@7", "a"},
		{"a list with another object of the same name", func() { s.replace([]client.Object{configMap("a", "9", "7")}) }, "a@7", "a"},
		{"nothing is left", func() { s.replace(nil) }, "-a@7", ""},
	} {
		told = nil
		step.do()
		slices.Sort(told)
		var there []string
		for _, o := range s.list(nil) {
			there = append(there, o.GetName())
		}
		slices.Sort(there)
		if got := strings.Join(told, " "); got != step.told {
			t.Errorf("%s: told %q, want %q", step.why, got, step.told)
		}
		if got := strings.Join(there, " "); got != step.there {
			t.Errorf("%s: there is %q, want %q", step.why, got, step.there)
		}
	}
	if synced != 1 {
		t.Errorf("synced %d times", synced)
	}
}
