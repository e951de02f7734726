package notary_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-contract-api-go/v2/metadata"

	"github.com/hanse-io/hanse/contracts/ledgertest"
	"github.com/hanse-io/hanse/contracts/notary"
)

const metadataFile = "contract-metadata/metadata.json"

// All tests of this package notary_testcall the contract with its metadata file in force, as its image ships it.
func TestMain(m *testing.M) {
	remove, err := ledgertest.InstallMetadata(metadataFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

func TestMetadataFileIsValid(t *testing.T) {
	content, err := os.ReadFile(metadataFile)
	if err != nil {
		t.Fatal(err)
	}
	var file metadata.ContractChaincodeMetadata
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	if err := file.CompileSchemas(); err != nil {
		t.Errorf("the schemas do not compile: %v", err)
	}
	if err := metadata.ValidateAgainstSchema(file); err != nil {
		t.Errorf("not valid: %v", err)
	}
	for _, function := range file.Contracts[notary.Name].Transactions {
		for i, parameter := range function.Parameters {
			if parameter.Name == fmt.Sprintf("param%d", i) || parameter.Description == "" {
				t.Errorf("%s: parameter %d has no name or description", function.Name, i)
			}
		}
	}
}

// TestMetadataFileAgreesWithTheCode compares the file with what the contract API reflects when
// there is no file: the same functions, tags, types and components.
func TestMetadataFileAgreesWithTheCode(t *testing.T) {
	file := ledgertest.Metadata(t, notary.New())
	if file.Info.Version != notary.Version || file.Contracts[notary.Name].Info.Version != notary.Version {
		t.Errorf("the file says version %s, the code %s", file.Info.Version, notary.Version)
	}
	reflected := ledgertest.Reflected(t, metadataFile, func() contractapi.ContractInterface { return notary.New() })
	if diff := cmp.Diff(ledgertest.Unnamed(t, reflected), ledgertest.Unnamed(t, file)); diff != "" {
		t.Errorf("the file (+) and the code (-) disagree:\n%s", diff)
	}
}
