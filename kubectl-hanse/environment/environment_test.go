package environment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestExports(t *testing.T) {
	plan := v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade", Nodes: []v1alpha1.PlanNode{
		{Name: "orderer0-org1", Role: v1alpha1.RoleOrderer}, {Name: "peer0-org1", Role: v1alpha1.RolePeer}, {Name: "peer1-org1", Role: v1alpha1.RolePeer},
	}}
	got := exports(plan, "/home/o'neil/org1")
	for _, test := range []struct{ why, want string }{
		{"the first peer is the one to talk to", "export CORE_PEER_ADDRESS='peer0-org1.hanse-trade:7051'\n"},
		{"the orderer goes by the same name as everywhere", "export ORDERER_ADDRESS='orderer0-org1.hanse-trade:7050'\n"},
		{"the MSP is the organization's", "export CORE_PEER_LOCALMSPID='org1MSP'\n"},
		{"a quote in a path cannot break out of the shell's quoting", `'/home/o'\''neil/org1/msp'`},
	} {
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: want %q in\n%s", test.why, test.want, got)
		}
	}
}

func TestWrite(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "org1")
	data := map[string][]byte{"tls.crt": []byte("c"), "tls.key": []byte("k"), "ca.crt": []byte("a")}
	if err := write(folder, files(data, data)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "msp/keystore/key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v (%v): nobody else may read it", info.Mode(), err)
	}
	if err := write(folder, files(data, data)); err == nil {
		t.Error("a folder that is not empty was written over")
	}
}
