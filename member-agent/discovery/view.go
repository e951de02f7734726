package discovery

import (
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// View is an immutable snapshot of one Consortium's Members. Its records are shared: copy them before a change.
type View struct {
	Consortium string
	// Members sorted by name, the View's owner among them.
	Members []Member
}

// Member is one Member as this agent knows it.
type Member struct {
	Name string
	// Online is whether this agent is in contact with the Member's agent. False means that its state is unknown.
	Online bool
	// LastSeen is the time of the last authenticated data from the Member's agent, when the View was built; zero if never.
	LastSeen time.Time
	// Record is the verified record with the highest sequence, with the Holdings; nil until there is one.
	Record *v1alpha1.Record
	// Signed are the statements that these came in, by kind.
	Signed map[v1alpha1.StatementKind]Signed
}

// Signed is a verified statement.
type Signed struct {
	Digest string
	// Statement is shared: copy it before a change.
	Statement *v1alpha1.StatementSpec
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

// Records are copies of the verified records, by Member.
func (v View) Records() map[string]v1alpha1.Record {
	records := make(map[string]v1alpha1.Record, len(v.Members))
	for _, m := range v.Members {
		if m.Record != nil {
			records[m.Name] = *m.Record.DeepCopy()
		}
	}
	return records
}
