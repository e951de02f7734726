package policy

import "testing"

func TestApproval(t *testing.T) {
	for _, c := range []struct {
		why   string
		value Approval
		valid bool
	}{
		{"what is declared", Automatic, true},
		{"what a person says", ByHand, true},
		{"case counts, as everywhere in Kubernetes", "byhand", false},
		{"nothing is no answer", "", false},
	} {
		if err := c.value.Validate(); (err == nil) != c.valid {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}
