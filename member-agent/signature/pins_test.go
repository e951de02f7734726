package signature

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestPins(t *testing.T) {
	one, two, three := text(newAuthority(t, "one", nil).cert), text(newAuthority(t, "two", nil).cert), text(newAuthority(t, "three", nil).cert)
	pinned := Pins{"org1": one, "org2": two}
	for _, row := range []struct {
		why     string
		members []v1alpha1.PlanMember
		want    Comparison
	}{
		{"as they were", []v1alpha1.PlanMember{{Name: "org1", Root: one}, {Name: "org2", Root: two}}, Comparison{Pins: pinned}},
		{"the same certificate, wrapped otherwise", []v1alpha1.PlanMember{{Name: "org1", Root: strings.ReplaceAll(one, "\n", "\r\n")}}, Comparison{Pins: pinned}},
		{"one is new", []v1alpha1.PlanMember{{Name: "org3", Root: three}}, Comparison{Pins: Pins{"org1": one, "org2": two, "org3": three}, Added: true}},
		{"one has not published a root yet", []v1alpha1.PlanMember{{Name: "org3"}}, Comparison{Pins: pinned}},
		{"two have changed, and are not believed", []v1alpha1.PlanMember{{Name: "org2", Root: one}, {Name: "org1", Root: three}},
			Comparison{Pins: pinned, Changed: []string{"org1", "org2"}}},
		{"one has grown by a second root", []v1alpha1.PlanMember{{Name: "org1", Root: one + three}}, Comparison{Pins: pinned, Changed: []string{"org1"}}},
		{"one cannot be read", []v1alpha1.PlanMember{{Name: "org3", Root: "x"}}, Comparison{Pins: pinned, Unreadable: []string{"org3"}}},
		{"nobody is left, and nobody forgotten", nil, Comparison{Pins: pinned}},
	} {
		t.Run(row.why, func(t *testing.T) {
			if d := cmp.Diff(row.want, pinned.Compare(row.members)); d != "" {
				t.Error(d)
			}
			if len(pinned) != 2 {
				t.Error("the pins themselves were changed")
			}
		})
	}
	if c := Pins(nil).Compare([]v1alpha1.PlanMember{{Name: "org1", Root: one}}); !c.Added || c.Pins["org1"] != one {
		t.Errorf("the very first: %+v", c)
	}
}
