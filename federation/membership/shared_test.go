package membership

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestShared(t *testing.T) {
	registered := func(issued time.Duration, requests ...string) *v1alpha1.MemberRegistration {
		return &v1alpha1.MemberRegistration{KeyFingerprint: "k", Time: *at(-time.Hour), LastIssued: *at(issued), Requests: requests}
	}
	agent := func(key string, requests ...string) v1alpha1.MemberAgent {
		return v1alpha1.MemberAgent{KeyFingerprint: key, Requests: requests}
	}
	alarmed := func(key string) []metav1.Condition {
		was := alarm(&v1alpha1.Member{Status: v1alpha1.MemberStatus{Registration: &v1alpha1.MemberRegistration{KeyFingerprint: key}}}, "x")
		return []metav1.Condition{{Type: v1alpha1.MemberCredentialShared, Status: was.Status, Message: was.Message}}
	}
	for _, c := range []struct {
		why       string
		status    v1alpha1.MemberStatus
		alternate bool
		want      bool
	}{
		{"nobody is registered", v1alpha1.MemberStatus{}, true, false},
		{"every credential was asked for", v1alpha1.MemberStatus{Registration: registered(-time.Minute, "a", "b"), Agent: agent("k", "a", "b", "c")}, false, false},
		{"one was not", v1alpha1.MemberStatus{Registration: registered(-time.Hour, "a", "x"), Agent: agent("k", "a")}, false, true},
		{"one was not, before the agent's own last", v1alpha1.MemberStatus{Registration: registered(-time.Hour, "x", "a"), Agent: agent("k", "a")}, false, true},
		{"only just now", v1alpha1.MemberStatus{Registration: registered(0, "a", "x"), Agent: agent("k", "a")}, false, true},
		{"the agent before has reported, the new one has not yet", v1alpha1.MemberStatus{Registration: registered(-time.Hour, "a"), Agent: agent("old", "o")}, false, false},
		{"two renew the Lease alternately", v1alpha1.MemberStatus{Registration: registered(-time.Hour, "a"), Agent: agent("k", "a")}, true, true},
		{"an alarm stays though nothing shows it any more", v1alpha1.MemberStatus{
			Registration: registered(-time.Hour, "a"), Agent: agent("k", "a"), Conditions: alarmed("k")}, false, true},
		{"a new agent ends it", v1alpha1.MemberStatus{
			Registration: registered(-time.Hour, "a"), Agent: agent("k", "a"), Conditions: alarmed("old")}, false, false},
	} {
		outcome := shared(&v1alpha1.Member{Status: c.status}, c.alternate)
		if (outcome.Status == metav1.ConditionTrue) != c.want {
			t.Errorf("%s: %+v", c.why, outcome)
		}
	}
}

func TestHolders(t *testing.T) {
	for _, c := range []struct {
		why   string
		names []string
		want  bool
	}{
		{"one agent", []string{"a", "a", "a"}, false},
		{"restarts", []string{"a", "b", "c", "d", "e"}, false},
		{"a replica that is being stopped renews once more", []string{"a", "b", "a", "b", "b"}, false},
		{"two agents alternately", []string{"a", "b", "a", "b", "a"}, true},
	} {
		var h holders
		for _, name := range c.names {
			h = h.next(name)
		}
		if h.alternate() != c.want {
			t.Errorf("%s: %+v", c.why, h)
		}
	}
}

func TestNextRegistration(t *testing.T) {
	m := &v1alpha1.Member{Spec: v1alpha1.MemberSpec{Invitation: "i"}}
	m.Status.Registration = nextRegistration(m, "key", "first", now)
	for range 2 { // the second time, the approval failed after it was written down
		m.Status.Registration = nextRegistration(m, "", "second", now)
	}
	if r := m.Status.Registration; r.KeyFingerprint != "key" || r.Issued != 2 || len(r.Requests) != 2 {
		t.Errorf("%+v", r)
	}
	for i := range 20 {
		m.Status.Registration = nextRegistration(m, "", string(rune('a'+i)), now)
	}
	if r := m.Status.Registration; len(r.Requests) != v1alpha1.MaxIssuedRequests || r.Requests[len(r.Requests)-1] != "t" || r.Issued != 22 {
		t.Errorf("%+v", r)
	}
	if r := nextRegistration(m, "other", "x", now); r.Issued != 1 || len(r.Requests) != 1 || r.KeyFingerprint != "other" {
		t.Errorf("a new key starts at 1: %+v", r)
	}
}
