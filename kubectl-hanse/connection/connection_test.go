package connection

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
	got, err := parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ why, got, want string }{
		{"the organization's own peer, and not that of one whose name ends alike", got.Peer, "peer0-org1.hanse-trade:7051"},
		{"it has no orderer", got.Orderer, ""},
		{"the own nodes' authority", got.TLSRoots, "OWN"},
		{"the MSP is as it was chosen", got.MSPID, "FirstMSP"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, not %q", row.why, row.got, row.want)
		}
	}
	for _, broken := range []string{"", "{}", `{"client":{"organization":"org9"},"organizations":{"org1":{}}}`} {
		if _, err := parse(broken); err == nil {
			t.Errorf("%q was taken for a profile", broken)
		}
	}
}
