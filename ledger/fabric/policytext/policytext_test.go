package policytext_test

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/ledger/fabric/policytext"
)

func TestParse(t *testing.T) {
	for _, row := range []struct {
		why, text string
		// want is the canonical text; wrong a part of the error.
		want, wrong string
	}{
		{"two of two", "AND('org1MSP.peer', 'org2MSP.peer')", "OutOf(2, 'org1MSP.peer', 'org2MSP.peer')", ""},
		{"gates within gates, no spaces, double quotes", `AND("org1MSP.peer",OR('a.member','b.peer'))`, "OutOf(2, 'org1MSP.peer', OutOf(1, 'a.member', 'b.peer'))", ""},
		{"a number of some", " OutOf( 2 , 'a.peer','b.peer' , 'c.peer' ) ", "OutOf(2, 'a.peer', 'b.peer', 'c.peer')", ""},
		{"small letters, which Fabric takes too", "or('a.peer')", "OutOf(1, 'a.peer')", ""},
		{"an MSP ID with dots and hyphens", "OR('org-1.example.com.peer')", "OutOf(1, 'org-1.example.com.peer')", ""},
		{"the canonical text is its own", "OutOf(1, 'a.peer', OutOf(2, 'b.peer', 'c.peer'))", "OutOf(1, 'a.peer', OutOf(2, 'b.peer', 'c.peer'))", ""},

		{"nothing", "", "", "begins with AND, OR or OutOf, at the end"},
		{"a rule where a text belongs", "Majority", "", "begins with AND"},
		{"a channel's rule", "MAJORITY Endorsement", "", "begins with AND"},
		{"a principal alone, which Fabric does not take", "'org1MSP.peer'", "", "begins with AND"},
		{"no quotes", "AND(org1MSP.peer, org2MSP.peer)", "", "a principal in quotes"},
		{"a role that there is not", "OR('org1MSP.leader')", "", "one of peer, member"},
		{"a role is missing", "OR('org1MSP')", "", "an MSP ID, a dot"},
		{"a capital role", "OR('org1MSP.PEER')", "", "an MSP ID, a dot"},
		{"a quote is missing", "OR('org1MSP.peer)", "", "ends with the quote"},
		{"a bracket is missing", "OR('a.peer', AND('b.peer', 'c.peer')", "", "a comma or ) is missing, at the end"},
		{"a comma is missing", "OR('a.peer' 'b.peer')", "", "a comma or ) is missing"},
		{"a comma too many", "OR('a.peer',)", "", "is missing"},
		{"nobody", "OR()", "", "is missing"},
		{"more than there are", "OutOf(3, 'a.peer', 'b.peer')", "", "asks for 3 of 2"},
		{"none of them", "OutOf(0, 'a.peer')", "", "asks for 0 of 1"},
		{"no number", "OutOf('a.peer', 'b.peer')", "", "begins with a number"},
		{"a number that no integer holds", "OutOf(99999999999999999999, 'a.peer')", "", "begins with a number"},
		{"somebody twice", "OutOf(2, 'a.peer', 'b.peer', 'b.peer')", "", "'b.peer' is there twice"},
		{"a gate twice, in two spellings", "AND(OR('a.peer','b.peer'), or('a.peer', 'b.peer'))", "", "is there twice"},
		{"something after it", "OR('a.peer') OR('b.peer')", "", "after the end"},
		{"an expression, as Fabric's library would evaluate", "OR('a.peer') && 1 > 0", "", "after the end"},
		{"too deep", strings.Repeat("OR(", 40) + "'a.peer'" + strings.Repeat(")", 40), "", "deep"},
		{"too long", "OR('" + strings.Repeat("a", 5000) + ".peer')", "", "longer than"},
		{"letters that only look alike", "ΑND('a.peer')", "", "begins with AND"},
	} {
		t.Run(row.why, func(t *testing.T) {
			node, err := policytext.Parse(row.text)
			if (err != nil) != (row.wrong != "") {
				t.Fatalf("%v, %v", node, err)
			}
			if err != nil {
				if !strings.Contains(err.Error(), row.wrong) {
					t.Errorf("%q does not say %q", err, row.wrong)
				}
				return
			}
			if node.String() != row.want {
				t.Errorf("%s, not %s", node, row.want)
			}
		})
	}
}

func TestMet(t *testing.T) {
	node, err := policytext.Parse("AND('a.peer', OutOf(2, 'b.peer', 'c.peer', 'd.peer'))")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		by   string
		want bool
	}{{"a b c", true}, {"a b", false}, {"b c d", false}, {"a b c d", true}, {"", false}} {
		if got := node.Met(func(p *policytext.Node) bool { return strings.Contains(row.by, p.MSPID) }); got != row.want {
			t.Errorf("by %q: %v", row.by, got)
		}
	}
}

// FuzzParse holds that whatever is taken has one text, which is taken as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"AND('a.peer', OR('b.peer', \"c.member\"))", "OutOf(2,'a.peer','b.peer','c.peer')", "OR('a.b-c.admin')"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		node, err := policytext.Parse(text)
		if err != nil {
			return
		}
		again, err := policytext.Parse(node.String())
		if len(node.String()) > policytext.MaxBytes {
			return
		}
		if err != nil || again.String() != node.String() {
			t.Errorf("%q is taken as %s, and that as %v, %v", text, node, again, err)
		}
		if !node.Met(func(*policytext.Node) bool { return true }) || node.Met(func(*policytext.Node) bool { return false }) {
			t.Errorf("%s is met by nobody, or by everybody not", node)
		}
	})
}
