package ledgertest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-contract-api-go/v2/metadata"
)

// InstallMetadata puts a contract's metadata file beside the test binary, where the contract API
// looks for it, so that the tests call the contract as it ships. It gives a function that takes
// the file away again.
func InstallMetadata(path string) (remove func(), err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(filepath.Dir(binary), metadata.MetadataFolderSecondary)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return func() { _ = os.RemoveAll(dir) }, os.WriteFile(filepath.Join(dir, metadata.MetadataFile), content, 0o644)
}

// MustNew makes a ledger for a contract, with the metadata that is in force.
func MustNew(t testing.TB, contract contractapi.ContractInterface) *Ledger {
	t.Helper()
	chaincode, err := contractapi.NewChaincode(contract)
	if err != nil {
		t.Fatal(err)
	}
	return New(chaincode)
}

// Metadata asks the contract's chaincode for the metadata in force.
func Metadata(t testing.TB, contract contractapi.ContractInterface) metadata.ContractChaincodeMetadata {
	t.Helper()
	text, err := MustNew(t, contract).Evaluate(NewClient(t, "org1MSP", "reader"), contractapi.SystemContractName+":GetMetadata")
	if err != nil {
		t.Fatal(err)
	}
	var found metadata.ContractChaincodeMetadata
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// Unnamed takes away what a metadata file may add to what reflection knows: the titles, and
// names and descriptions of parameters. What is left, as JSON, has to agree with the code.
func Unnamed(t testing.TB, full metadata.ContractChaincodeMetadata) string {
	t.Helper()
	full.Info = nil
	for _, contract := range full.Contracts {
		for _, function := range contract.Transactions {
			for i := range function.Parameters {
				function.Parameters[i].Name, function.Parameters[i].Description = "", ""
			}
		}
	}
	text, err := json.MarshalIndent(full, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Reflected gives the metadata as the code alone yields it: it takes the file away while it asks.
func Reflected(t testing.TB, path string, contract func() contractapi.ContractInterface) metadata.ContractChaincodeMetadata {
	t.Helper()
	remove, err := InstallMetadata(path)
	if err != nil {
		t.Fatal(err)
	}
	remove()
	defer func() {
		if _, err := InstallMetadata(path); err != nil {
			t.Error(err)
		}
	}()
	return Metadata(t, contract())
}
