package environment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/kubectl-hanse/connection"
)

var found = connection.Connection{
	Namespace: "hanse-trade", Member: "org1", MSPID: "FirstMSP", TLSRoots: "ROOTS", Profile: []byte("{}"),
	Peer: "peer0-org1.hanse-trade:7051", Orderer: "orderer0-org1.hanse-trade:7050",
}

func TestExports(t *testing.T) {
	got := exports(found, "/home/o'neil/org1", true)
	for _, test := range []struct{ why, want string }{
		{"the first peer is the one to talk to", "export CORE_PEER_ADDRESS='peer0-org1.hanse-trade:7051'\n"},
		{"the orderer goes by the same name as everywhere", "export ORDERER_ADDRESS='orderer0-org1.hanse-trade:7050'\n"},
		{"the MSP is the organization's, as it was chosen", "export CORE_PEER_LOCALMSPID='FirstMSP'\n"},
		{"a quote in a path cannot break out of the shell's quoting", `'/home/o'\''neil/org1/msp'`},
		{"the peer command does not start without a core.yaml", `export FABRIC_CFG_PATH='/home/o'\''neil/org1'`},
		{"an administrator has the orderers' administration", "export OSN_TLS_CLIENT_KEY="},
	} {
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: want %q in\n%s", test.why, test.want, got)
		}
	}
	if got := exports(found, "/a", false); strings.Contains(got, "OSN_") {
		t.Errorf("an application has no business with the orderers' administration:\n%s", got)
	}
}

// An application's folder holds one key, its own identity's.
func TestApplicationFolderHoldsNoTLSKey(t *testing.T) {
	identity := map[string][]byte{"tls.crt": []byte("c"), "tls.key": []byte("k"), "ca.crt": []byte("a")}
	operator := map[string][]byte{"tls.crt": []byte("oc"), "tls.key": []byte("ok"), "ca.crt": []byte("oa")}
	for name, data := range files(found, identity, nil) {
		if strings.HasSuffix(name, ".key") || strings.HasPrefix(name, "tls/") && name != "tls/ca.pem" {
			t.Errorf("an application's folder holds %s: %s", name, data)
		}
	}
	if all := files(found, identity, operator); string(all["tls/client.key"]) != "ok" || string(all["tls/ca.pem"]) != "ROOTS" {
		t.Errorf("an administrator's folder: %s", all)
	}
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	folder, err := usable(filepath.Join(parent, "org1"))
	if err != nil {
		t.Fatal(err)
	}
	data := map[string][]byte{"tls.crt": []byte("c"), "tls.key": []byte("k"), "ca.crt": []byte("a")}
	if err := write(folder, files(found, data, data)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "msp/keystore/key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v (%v): nobody else may read it", info.Mode(), err)
	}
	for why, path := range map[string]string{
		"is not empty":               folder,
		"cannot be used as a folder": filepath.Join(folder, "core.yaml"),
		"cannot be used":             filepath.Join(folder, "core.yaml", "below"),
	} {
		if _, err := usable(path); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
