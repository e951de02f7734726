package reconcile

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	"github.com/hanse-io/hanse/member-agent/identity"
)

func TestParseLineAddress(t *testing.T) {
	for text, want := range map[string]LineAddress{
		"203.0.113.1":            {"203.0.113.1", 7443},
		"203.0.113.1:30443":      {"203.0.113.1", 30443},
		"fd00::1":                {"fd00::1", 7443},
		"[fd00::1]:1":            {"fd00::1", 1},
		"Line.Example.com":       {"line.example.com", 7443},
		"line.example.com.:8443": {"line.example.com", 8443},
	} {
		if got, err := ParseLineAddress(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ":7443", "203.0.113.1:0", "203.0.113.1:70000", "https://line.example.com", "a b", "10.0.0.0/8", "line_1"} {
		if got, err := ParseLineAddress(text); err == nil {
			t.Errorf("%q was taken for %v", text, got)
		}
	}
}

// Only what the organization itself calls its address is signed, whatever the host's plan says.
func TestOnlyOwnAddressesAreSigned(t *testing.T) {
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade", Lines: []v1alpha1.PlanLine{
		{Name: "a", Member: "org2", LocalAddress: "203.0.113.1", LocalPort: 7443},
		{Name: "b", Member: "org2", LocalAddress: "198.51.100.66", LocalPort: 7443},
		{Name: "c", Member: "org2", LocalAddress: "203.0.113.1", LocalPort: 30443},
	}}}
	for _, row := range []struct {
		why    string
		own    []LineAddress
		signed string
		says   string
	}{
		{"the chart names none", nil, "", ""},
		{"one of the plan's", []LineAddress{{"203.0.113.1", 7443}}, "a", "b (198.51.100.66:7443), c (203.0.113.1:30443)"},
		{"all of the plan's", []LineAddress{{"203.0.113.1", 7443}, {"203.0.113.1", 30443}, {"198.51.100.66", 7443}}, "a b c", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			var names []string
			for _, l := range buildRecord(plan, planner.Planner{}.Description(), identity.Issued{}, row.own).Lines {
				names = append(names, l.Name)
			}
			if got := strings.Join(names, " "); got != row.signed {
				t.Errorf("signed are %q, want %q", got, row.signed)
			}
			if got := unconfirmedLines(plan, row.own); (got == "") != (row.says == "") || !strings.Contains(got, row.says) {
				t.Errorf("said is %q, want %q", got, row.says)
			}
		})
	}
}
