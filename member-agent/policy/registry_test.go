package policy

import (
	"strings"
	"testing"
)

func TestRegistryPulled(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	for _, row := range []struct {
		why      string
		registry Registry
		declared string
		want     string
	}{
		{"without a registry of one's own nothing changes", "", "ghcr.io/hanse-io/contract-notary:0.1.0", "ghcr.io/hanse-io/contract-notary:0.1.0"},
		{"the registry is replaced", "registry.example.com", "ghcr.io/hanse-io/contract-notary:0.1.0", "registry.example.com/hanse-io/contract-notary:0.1.0"},
		{"so is any other", "registry.example.com", "docker.io/hyperledger/fabric-peer:3.1.4", "registry.example.com/hyperledger/fabric-peer:3.1.4"},
		{"a registry may have a port and a path", "10.0.0.1:5000/mirror", "docker.io/library/couchdb:3.4", "10.0.0.1:5000/mirror/library/couchdb:3.4"},
		{"a digest still says what is pulled", "registry.example.com", "ghcr.io/a/b:1" + digest, "registry.example.com/a/b:1" + digest},
		{"Docker Hub's short names have a path too", "registry.example.com", "couchdb:3.4", "registry.example.com/library/couchdb:3.4"},
		{"an owner on Docker Hub is no registry", "registry.example.com", "hyperledger/fabric-peer:3.1.4", "registry.example.com/hyperledger/fabric-peer:3.1.4"},
		{"what lies there already stays", "registry.example.com/mirror", "registry.example.com/mirror/contracts/x:1", "registry.example.com/mirror/contracts/x:1"},
		{"a registry that only begins alike does not", "registry.example.com", "registry.example.com.evil.io/x/y:1", "registry.example.com/x/y:1"},
	} {
		if got := row.registry.Pulled(row.declared); got != row.want {
			t.Errorf("%s: %q, not %q", row.why, got, row.want)
		} else if again := row.registry.Pulled(got); again != got {
			t.Errorf("%s: not stable: %q becomes %q", row.why, got, again)
		}
	}
}

func TestRegistryValidate(t *testing.T) {
	for _, row := range []struct {
		why      string
		registry Registry
		ok       bool
	}{
		{"none", "", true},
		{"a host", "registry.example.com", true},
		{"a port and a path", "localhost:5000/a/b-c", true},
		{"a scheme", "https://registry.example.com", false},
		{"a slash at the end", "registry.example.com/", false},
		{"a tag", "registry.example.com/a:1", false},
		{"capital letters in a path", "registry.example.com/Mirror", false},
		{"white space", "registry.example.com /a", false},
		{"too long", Registry(strings.Repeat("a", 256)), false},
	} {
		if err := row.registry.Validate(); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}
