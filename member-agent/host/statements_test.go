package host

import (
	"testing"
	"time"
)

// TestPublishedAgain: a statement that somebody has deleted on the host is there again some time later.
func TestPublishedAgain(t *testing.T) {
	began := time.Unix(1000, 0)
	var p publishedNames
	if p.has("org1.a", began) {
		t.Error("what was never published is there")
	}
	p.add("org1.a", began)
	for _, row := range []struct {
		why   string
		name  string
		after time.Duration
		has   bool
	}{
		{"at once", "org1.a", 0, true},
		{"a while later, for an idle agent asks the host for little", "org1.a", republish - time.Second, true},
		{"after that it is created again, if it is not there any more", "org1.a", republish, false},
		{"another one", "org1.b", 0, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			if has := p.has(row.name, began.Add(row.after)); has != row.has {
				t.Errorf("has: %t", has)
			}
		})
	}
}

// TestAbsence: a statement that is never published costs the host less and less.
func TestAbsence(t *testing.T) {
	began := time.Unix(1000, 0)
	var a absence
	asked := 0
	for now := began; now.Before(began.Add(time.Hour)); asked++ {
		wait := a.wait("org2.a", now)
		if wait < fetchRetry || wait > fetchRejected {
			t.Fatalf("after %s: again after %s", now.Sub(began), wait)
		}
		now = now.Add(wait)
	}
	if asked < 60 || asked > 75 {
		t.Errorf("asked for %d times in an hour", asked)
	}
	if wait := a.wait("org2.b", began.Add(time.Hour)); wait != fetchRetry {
		t.Errorf("another one is looked for again after %s", wait)
	}
}
