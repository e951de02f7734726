package discoverytest

import (
	"errors"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/discovery"
)

// api are the methods that callers declare; the real one and the double must have them alike.
type api interface {
	SetGroups(groups []discovery.Group) error
	Publish(consortium string, signed v1alpha1.SignedRecord) error
	Offer(consortium string, signed v1alpha1.SignedRecord) error
	View(consortium string) discovery.View
}

var (
	_ api = (*discovery.Discovery)(nil)
	_ api = (*Double)(nil)
)

func TestDouble(t *testing.T) {
	changes := 0
	d := New("org1", nil, func(string) { changes++ })
	if err := d.Deliver(v1alpha1.Record{Member: "org2", Consortium: "trade", Sequence: 1}); !errors.Is(err, discovery.ErrNoGroup) {
		t.Errorf("a record for no group: %v", err)
	}
	if err := d.SetGroups([]discovery.Group{{Consortium: "trade", Members: []discovery.Peer{{Name: "org2"}, {Name: "org1"}}}}); err != nil {
		t.Fatal(err)
	}
	for _, sequence := range []int64{2, 1} {
		if err := d.Deliver(v1alpha1.Record{Member: "org2", Consortium: "trade", Sequence: sequence}); err != nil {
			t.Fatal(err)
		}
	}
	d.SetOnline("trade", "org2", true)
	v := d.View("trade")
	if len(v.Members) != 2 || v.Members[0].Name != "org1" || !v.Members[0].Online {
		t.Errorf("view: %+v", v)
	}
	if m, _ := v.Member("org2"); !m.Online || m.Record == nil || m.Record.Sequence != 2 {
		t.Errorf("org2: %+v", m)
	}
	if changes != 3 {
		t.Errorf("%d changes told of, where a group, a record and a contact are 3", changes)
	}
}
