package invoke

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/kubectl-hanse/output"
	"github.com/hanse-io/hanse/ledger"
)

func TestResult(t *testing.T) {
	o := options{consortium: "trade", channel: "deals", contract: "notary", format: output.NewFormat("json")}
	base := Invocation{Consortium: "trade", Channel: "deals", Contract: "notary", Function: "Get", Arguments: []string{"invoice-7"}}
	for _, row := range []struct {
		why    string
		answer ledger.Answer
		want   func(*Invocation)
	}{
		{"a text", ledger.Answer{Answer: []byte(`{"a":1}`)}, func(i *Invocation) { i.Result = `{"a":1}` }},
		{"no answer", ledger.Answer{}, func(*Invocation) {}},
		{"what is no text would be garbled", ledger.Answer{Answer: []byte{0xff, 0x00}}, func(i *Invocation) { i.ResultBase64 = "/wA=" }},
		{"where it is on the ledger, and by whom", ledger.Answer{Transaction: "t1", Block: 7, Endorsers: []ledger.Endorser{{Member: "org1", Node: "peer0-org1"}}},
			func(i *Invocation) {
				i.Transaction, i.Block, i.Endorsers = "t1", 7, []ledger.Endorser{{Member: "org1", Node: "peer0-org1"}}
			}},
	} {
		want := base
		row.want(&want)
		text, err := json.Marshal(row.answer)
		if err != nil {
			t.Fatal(err)
		}
		got, err := o.result([]string{"Get", "invoice-7"}, text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v (%v), want %+v", row.why, got, err, want)
		}
	}
	if _, err := o.result([]string{"Get"}, []byte("a text\n")); err == nil || !strings.Contains(err.Error(), "kubectl hanse version") {
		t.Errorf("an agent of another version: %v", err)
	}
}

// TestArguments: the agent is asked for JSON only where its answer is to be printed as a document.
func TestArguments(t *testing.T) {
	for _, row := range []struct {
		why, format string
		json        bool
	}{{"for people", "", false}, {"for programs", "json", true}, {"for a template", "jsonpath={.result}", true}} {
		o := options{consortium: "trade", channel: "deals", contract: "notary", format: output.NewFormat(row.format)}
		line := strings.Join(o.arguments([]string{"Get", "--json"}), " ")
		before, call, _ := strings.Cut(line, " -- ")
		if strings.Contains(before, " --json") != row.json || call != "Get --json" {
			t.Errorf("%s: %s", row.why, line)
		}
	}
}
