package profile

import "testing"

const sample = `{
  "client": {"organization": "org1"},
  "organizations": {"org1": {"mspid": "FirstMSP"}, "big-org1": {"mspid": "BigMSP"}},
  "peers": {
    "peer0-big-org1.hanse-trade": {"url": "grpcs://peer0-big-org1.hanse-trade:7051", "tlsCACerts": {"pem": "BIG"}},
    "peer1-org1.hanse-trade": {"url": "grpcs://peer1-org1.hanse-trade:7051", "tlsCACerts": {"pem": "OWN"}},
    "peer0-org1.hanse-trade": {"url": "grpcs://peer0-org1.hanse-trade:7051", "tlsCACerts": {"pem": "OWN"}}
  }
}`

func TestParse(t *testing.T) {
	read, err := Tools{}.Environment([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := read.(environment)
	for _, row := range []struct{ why, got, want string }{
		{"the organization's own peer, and not that of one whose name ends alike", got.peer, "peer0-org1.hanse-trade:7051"},
		{"it has no orderer", got.orderer, ""},
		{"the own nodes' authority", got.tlsRoots, "OWN"},
		{"the MSP is as it was chosen", got.mspID, "FirstMSP"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, not %q", row.why, row.got, row.want)
		}
	}
	for _, broken := range []string{"", "{}", `{"client":{"organization":"org9"},"organizations":{"org1":{}}}`} {
		if _, err := (Tools{}).Environment([]byte(broken)); err == nil {
			t.Errorf("%q was taken for a profile", broken)
		}
	}
}
