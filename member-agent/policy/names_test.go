package policy

import "testing"

func TestNames(t *testing.T) {
	allowed := Names{"peer0.example.com", ".ledger.example.com", "192.0.2.7", "198.51.100.0/24", "*.wild.example.com"}
	if err := allowed.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why, name string
		allowed   bool
	}{
		{"a name that is there", "peer0.example.com", true},
		{"not what is below it", "x.peer0.example.com", false},
		{"what is below a domain", "peer0.ledger.example.com", true},
		{"not the domain itself", "ledger.example.com", false},
		{"not what only ends alike", "evilledger.example.com", false},
		{"an address", "192.0.2.7", true},
		{"another one", "192.0.2.8", false},
		{"one in a range", "198.51.100.9", true},
		{"a wildcard below a domain stands for everybody", "*.ledger.example.com", false},
		{"a wildcard that is there", "*.wild.example.com", true},
		{"another bank", "login.bank.example", false},
		{"a URL is no name", "https://peer0.example.com", false},
		{"nor is nothing", "", false},
		{"nor what is in upper case, which Go compares otherwise than people do", "PEER0.example.com", false},
	} {
		if got := allowed.Allows(row.name); got != row.allowed {
			t.Errorf("%s: %q: %v", row.why, row.name, got)
		}
	}
	if Names(nil).Allows("peer0.example.com") {
		t.Error("an organization that says nothing allows nothing")
	}
	for _, wrong := range []string{"https://x", "a b", "10.0.0.0/99", "..", ""} {
		if (Names{wrong}).Validate() == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}
