// Package discoverytest holds a fake of discovery for the tests of its callers: no network, no certificates, and members
// that are set online and offline by the test. It accepts every record without verification, so it must not be used
// where signatures are tested.
package discoverytest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/discovery"
)

// Double has the methods of discovery.Discovery that callers use.
type Double struct {
	member  string
	clock   func() time.Time
	changed func(consortium string)

	mu      sync.Mutex
	groups  map[string]map[string]*discovery.Member
	offered int
}

// New returns a double of one Member's discovery. changed may be nil.
func New(member string, clock func() time.Time, changed func(consortium string)) *Double {
	if clock == nil {
		clock = time.Now
	}
	return &Double{member: member, clock: clock, changed: changed, groups: map[string]map[string]*discovery.Member{}}
}

// SetGroups is as discovery's.
func (d *Double) SetGroups(groups []discovery.Group) error {
	d.mu.Lock()
	next := map[string]map[string]*discovery.Member{}
	for _, r := range groups {
		members := map[string]*discovery.Member{}
		for _, p := range r.Members {
			if m := d.groups[r.Consortium][p.Name]; m != nil {
				members[p.Name] = m
			} else {
				members[p.Name] = &discovery.Member{Name: p.Name, Online: p.Name == d.member}
			}
		}
		next[r.Consortium] = members
	}
	d.groups = next
	d.mu.Unlock()
	for _, r := range groups {
		d.notify(r.Consortium)
	}
	return nil
}

// Publish is as discovery's.
func (d *Double) Publish(consortium string, signed v1alpha1.SignedRecord) error {
	return d.Offer(consortium, signed)
}

// Offer is as discovery's, but checks nothing.
func (d *Double) Offer(consortium string, signed v1alpha1.SignedRecord) error {
	var record v1alpha1.Record
	if err := json.Unmarshal(signed.Payload, &record); err != nil {
		return err
	}
	return d.put(consortium, record, signed)
}

// Deliver adds a record as if it had come by gossip. It is not signed.
func (d *Double) Deliver(record v1alpha1.Record) error {
	payload, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return d.put(record.Consortium, record, v1alpha1.SignedRecord{Payload: payload})
}

func (d *Double) put(consortium string, record v1alpha1.Record, signed v1alpha1.SignedRecord) error {
	d.mu.Lock()
	d.offered++
	if d.groups[consortium] == nil {
		d.mu.Unlock()
		return fmt.Errorf("%w: %s", discovery.ErrNoGroup, consortium)
	}
	m := d.groups[consortium][record.Member]
	if m == nil {
		d.mu.Unlock()
		return fmt.Errorf("%s is not in %s", record.Member, consortium)
	}
	newer := m.Record == nil || record.Sequence > m.Record.Sequence
	if newer {
		m.Record, m.Signed = &record, &signed
	}
	d.mu.Unlock()
	if newer {
		d.notify(consortium)
	}
	return nil
}

// SetOnline sets whether a Member is online.
func (d *Double) SetOnline(consortium, member string, online bool) {
	d.mu.Lock()
	m := d.groups[consortium][member]
	changed := m != nil && m.Online != online
	if changed {
		m.Online = online
		m.LastSeen = d.clock()
	}
	d.mu.Unlock()
	if changed {
		d.notify(consortium)
	}
}

// View is as discovery's.
func (d *Double) View(consortium string) discovery.View {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := discovery.View{Consortium: consortium}
	for _, m := range d.groups[consortium] {
		v.Members = append(v.Members, *m)
	}
	slices.SortFunc(v.Members, func(a, b discovery.Member) int { return strings.Compare(a.Name, b.Name) })
	return v
}

// Offered is the number of records that were offered, including known and rejected ones.
func (d *Double) Offered() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.offered
}

func (d *Double) notify(consortium string) {
	if d.changed != nil {
		d.changed(consortium)
	}
}
