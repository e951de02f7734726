package v1alpha1

import (
	"encoding/json"
	"strings"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

func TestUndecodableValuesAreListed(t *testing.T) {
	for _, c := range []struct {
		why, text, path string
		inStatus        bool
		// kept is a part that is decoded nevertheless.
		kept func() (object interface{ GetUndecodable() Undecodable }, whole func() bool)
	}{
		{"a duration in words", `{"metadata":{"name":"x"},"spec":{"consortium":"c","batch":{"maxMessages":7,"timeout":"2 seconds"}}}`, "spec.batch.timeout", false,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &Channel{}
				return c, func() bool { return c.Name == "x" && c.Spec.Consortium == "c" && c.Spec.Batch.MaxMessages == 7 }
			}},
		{"a quantity deep in a map", `{"metadata":{"name":"x"},"spec":{"channel":"c","resources":{"limits":{"cpu":"1","memory":"1e99999999999999999999"}}}}`, "spec.resources.limits.memory", false,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &Contract{}
				return c, func() bool { return c.Spec.Channel == "c" && c.Spec.Resources.Limits.Cpu().String() == "1" }
			}},
		{"a member's storage, in a list", `{"metadata":{"name":"x"},"spec":{"members":[{"name":"a"},{"name":"b","nodes":{"storage":{"size":"big"}}}]}}`, "spec.members[1].nodes.storage.size", false,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &Consortium{}
				return c, func() bool { return len(c.Spec.Members) == 2 && c.Spec.Members[1].Name == "b" }
			}},
		{"a quantity that takes all memory to compare", `{"metadata":{"name":"x"},"spec":{"consortium":"c","batch":{"absoluteMaxBytes":"1e2147483647"}}}`, "spec.batch.absoluteMaxBytes", false,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &Channel{}
				return c, func() bool { return c.Spec.Consortium == "c" && c.Spec.Batch.AbsoluteMaxBytes == nil }
			}},
		{"a number that no int32 holds", `{"metadata":{"name":"x"},"spec":{"ends":[{"member":"a","address":"x","port":99999999999},{"member":"b","address":"y"}]}}`, "spec.ends[0].port", false,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &Line{}
				return c, func() bool { return len(c.Spec.Ends) == 2 && c.Spec.Ends[0].Member == "a" }
			}},
		{"a time with a small t, in a status", `{"metadata":{"name":"x"},"status":{"root":"r","lines":[{"name":"l","since":"2026-01-31t12:00:00z"}]}}`, "status.lines[0].since", true,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &Member{}
				return c, func() bool { return c.Status.Root == "r" && c.Status.Lines[0].Name == "l" }
			}},
		{"a record where its digest belongs", `{"metadata":{"name":"x"},"spec":{"member":"a"},"status":{"phase":"p","record":{"payload":"eA=="}}}`, "status.record", true,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &MemberPlan{}
				return c, func() bool { return c.Spec.Member == "a" && c.Status.Phase == "p" }
			}},
		{"a text where an object belongs", `{"metadata":{"name":"x"},"spec":"nothing","status":{"phase":"p"}}`, "spec", false,
			func() (interface{ GetUndecodable() Undecodable }, func() bool) {
				c := &MemberPlan{}
				return c, func() bool { return c.Name == "x" && c.Status.Phase == "p" }
			}},
	} {
		object, whole := c.kept()
		if err := utiljson.Unmarshal([]byte(c.text), object); err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		u := object.GetUndecodable()
		if len(u) != 1 || u[0].Path != c.path || u.InStatus() != c.inStatus {
			t.Errorf("%s: got %v, want %s", c.why, u, c.path)
		}
		if !whole() {
			t.Errorf("%s: the rest was not decoded: %+v", c.why, object)
		}
		_, err := json.Marshal(object)
		if c.inStatus != (err == nil) {
			t.Errorf("%s: written: %v", c.why, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: the error does not name %s: %v", c.why, c.path, err)
		}
	}
}

func TestListWithUndecodableItem(t *testing.T) {
	var list ChannelList
	text := `{"items":[{"metadata":{"name":"a"},"spec":{"consortium":"c"}},{"metadata":{"name":"b"},"spec":{"consortium":"c","batch":{"timeout":"soon"}}}]}`
	if err := utiljson.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 2 || list.Items[0].Undecodable != nil || len(list.Items[1].Undecodable) != 1 {
		t.Errorf("got %+v", list.Items)
	}
}

func TestDecodedObjectRoundTrip(t *testing.T) {
	text := `{"metadata":{"name":"b"},"spec":{"consortium":"c","batch":{"timeout":"2s"}},"status":{}}`
	var channel Channel
	if err := utiljson.Unmarshal([]byte(text), &channel); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(&channel); err != nil || string(out) != text {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestHugeExponent(t *testing.T) {
	for _, row := range []struct {
		why, text string
		huge      bool
	}{
		{"none", `"1"`, false},
		{"three digits", `"1e999"`, false},
		{"four", `"1e1000"`, true},
		{"four with a sign and a fraction", `{"a":"-1.5E+99999"}`, true},
		{"a negative one", `".5e-99999"`, true},
		{"without quotes", `{"a":1e99999}`, true},
		{"with spaces, which a quantity may have", `" 1e99999 "`, true},
		{"the end of a hash", `"00ab2e123456"`, false},
		{"its beginning", `"12e12345ab"`, false},
		{"a whole hash that is one", `"12e12345"`, true},
		{"no number before it", `"e12345"`, false},
	} {
		if got := hasHugeExponent([]byte(row.text)); got != row.huge {
			t.Errorf("%s: %v", row.why, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"x"},"spec":{"members":[{"name":"a","peers":1e400}]},"status":{"conditions":[{"lastTransitionTime":"x"}]}}`))
	f.Add([]byte(`{"spec":{"nodes":[{"storage":{"size":"1e2147483647"},"resources":{"limits":{"cpu":{}}}}],"channels":[{"genesis":1}]}}`))
	f.Add([]byte(`{"spec":{"nodes":[{"storage":{"size":"1e2148473647"}}]}}`)) // beyond the exponents that a quantity holds
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, object := range []any{&Member{}, &Line{}, &Consortium{}, &Channel{}, &Contract{}, &MemberPlan{}} {
			var raw map[string]any
			if utiljson.Unmarshal(data, &raw) != nil {
				return // the API server holds objects only
			}
			if err := utiljson.Unmarshal(data, object); err != nil {
				t.Errorf("%T: %v", object, err)
			}
		}
	})
}
