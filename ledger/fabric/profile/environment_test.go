package profile

import (
	"strings"
	"testing"
)

var found = environment{
	member: "org1", mspID: "FirstMSP", tlsRoots: "ROOTS", profile: []byte("{}"),
	peer: "peer0-org1.hanse-trade:7051", orderer: "orderer0-org1.hanse-trade:7050",
}

func TestVariables(t *testing.T) {
	got := found.Variables("/home/o'neil/org1", true)
	for _, test := range []struct{ why, name, want string }{
		{"the first peer is the one to talk to", "CORE_PEER_ADDRESS", "peer0-org1.hanse-trade:7051"},
		{"the orderer goes by the same name as everywhere", "ORDERER_ADDRESS", "orderer0-org1.hanse-trade:7050"},
		{"the MSP is the organization's, as it was chosen", "CORE_PEER_LOCALMSPID", "FirstMSP"},
		{"the peer command does not start without a core.yaml", "FABRIC_CFG_PATH", "/home/o'neil/org1"},
		{"an administrator has the orderers' administration", "OSN_TLS_CLIENT_KEY", "/home/o'neil/org1/tls/client.key"},
	} {
		if got[test.name] != test.want {
			t.Errorf("%s: %q", test.why, got[test.name])
		}
	}
	for name := range found.Variables("/a", false) {
		if strings.HasPrefix(name, "OSN_") {
			t.Errorf("an application has no business with the orderers' administration: %s", name)
		}
	}
}

// An application's folder holds one key, its own identity's.
func TestApplicationFolderHoldsNoTLSKey(t *testing.T) {
	identity := map[string][]byte{"tls.crt": []byte("c"), "tls.key": []byte("k"), "ca.crt": []byte("a")}
	operator := map[string][]byte{"tls.crt": []byte("oc"), "tls.key": []byte("ok"), "ca.crt": []byte("oa")}
	for name, data := range found.Files(identity, nil) {
		if strings.HasSuffix(name, ".key") || strings.HasPrefix(name, "tls/") && name != "tls/ca.pem" {
			t.Errorf("an application's folder holds %s: %s", name, data)
		}
	}
	if all := found.Files(identity, operator); string(all["tls/client.key"]) != "ok" || string(all["tls/ca.pem"]) != "ROOTS" {
		t.Errorf("an administrator's folder: %s", all)
	}
}
