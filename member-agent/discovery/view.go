package discovery

import (
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// View is what is known of one Consortium's Members at one moment. It never changes; a newer one takes its place. Its
// records are shared: copy before changing anything.
type View struct {
	Consortium string
	// Members sorted by name, the View's owner among them.
	Members []Member
}

// Member is one Member as this agent knows it.
type Member struct {
	Name string
	// Online is whether this agent is in contact with the Member's agent. False means that nothing is known of it, and
	// never that it is gone.
	Online bool
	// LastSeen is when the Member's agent was last heard of as of the making of the View; zero if it never was.
	LastSeen time.Time
	// Record is the checked record with the highest sequence; nil until there is one.
	Record *v1alpha1.Record
	// Signed is the envelope that Record came in.
	Signed *v1alpha1.SignedRecord
}

// Member finds one Member by name.
func (v View) Member(name string) (Member, bool) {
	for _, m := range v.Members {
		if m.Name == name {
			return m, true
		}
	}
	return Member{}, false
}

// Records are copies of the checked records, by Member.
func (v View) Records() map[string]v1alpha1.Record {
	records := make(map[string]v1alpha1.Record, len(v.Members))
	for _, m := range v.Members {
		if m.Record != nil {
			records[m.Name] = *m.Record.DeepCopy()
		}
	}
	return records
}
