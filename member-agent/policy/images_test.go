package policy

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// nodeImages are what an organization with Fabric allows by default.
var nodeImages = Images(planner.Planner{}.Description().Images)

func TestAllows(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0a", 32)
	peers := Images{"docker.io/hyperledger/fabric-peer:"}
	for _, row := range []struct {
		why     string
		allowed Images
		image   string
		want    bool
	}{
		{"the peer as it is released", nodeImages, "docker.io/hyperledger/fabric-peer:3.1.4", true},
		{"the orderer too", nodeImages, "docker.io/hyperledger/fabric-orderer:3.1.4", true},
		{"the state database too", nodeImages, "docker.io/library/couchdb:3.4", true},
		{"a contract of Hanse's", DefaultContractImages, "ghcr.io/hanse-io/contract-notary:0.1.0", true},
		{"a contract's image runs no node", nodeImages, "ghcr.io/hanse-io/contract-notary:0.1.0", false},
		{"a tag and a digest", peers, "docker.io/hyperledger/fabric-peer:3.1.4" + digest, true},
		{"a digest alone has no tag, which the prefix asks for", peers, "docker.io/hyperledger/fabric-peer" + digest, false},

		{"another repository whose name begins alike", peers, "docker.io/hyperledger/fabric-peer-evil:1", false},
		{"another registry that has the allowed one as a path", peers, "evil.io/docker.io/hyperledger/fabric-peer:1", false},
		{"another registry whose name begins alike", Images{"ghcr.io"}, "ghcr.io.evil.io/hanse-io/contract:1", false},
		{"another organization whose name begins alike", DefaultContractImages, "ghcr.io/hanse-io-evil/contract:1", false},
		{"a port makes it another registry", DefaultContractImages, "ghcr.io:8443/hanse-io/contract:1", false},
		{"a registry is not known in other letters", peers, "DOCKER.io/hyperledger/fabric-peer:1", false},

		{"no registry is Docker Hub", peers, "hyperledger/fabric-peer:3.1.4", true},
		{"Docker Hub under its other name", peers, "index.docker.io/hyperledger/fabric-peer:3.1.4", true},
		{"a single name is in library", nodeImages, "couchdb:3.4", true},
		{"a single name is in library, with the registry too", nodeImages, "docker.io/couchdb:3.4", true},
		{"a single name is not another's repository of that name", nodeImages, "docker.io/evil/couchdb:3.4", false},
		{"localhost is a registry", peers, "localhost/hyperledger/fabric-peer:1", false},
		{"a prefix is written out in full too", Images{"hyperledger/fabric-peer:"}, "docker.io/hyperledger/fabric-peer:1", true},
		{"a prefix that is a single name is in library", Images{"couchdb"}, "couchdb:3.4", true},

		{"a prefix without an end, then a tag", Images{"ghcr.io/org1/peer"}, "ghcr.io/org1/peer:1", true},
		{"a prefix without an end, then a digest", Images{"ghcr.io/org1/peer"}, "ghcr.io/org1/peer" + digest, true},
		{"a prefix without an end, then a path", Images{"ghcr.io/org1"}, "ghcr.io/org1/peer:1", true},
		{"a prefix without an end, then nothing", Images{"ghcr.io/org1/peer:1"}, "ghcr.io/org1/peer:1", true},
		{"a prefix without an end, then more of the name", Images{"ghcr.io/org1/peer"}, "ghcr.io/org1/peers:1", false},
		{"a prefix without an end, then more of the tag", Images{"ghcr.io/org1/peer:1"}, "ghcr.io/org1/peer:1.2", false},
		{"a whole registry", Images{"registry.org1.example"}, "registry.org1.example/a/b:1", true},
		{"a whole registry with its port", Images{"localhost:5000"}, "localhost:5000/peer:1", true},
		{"a whole registry, ended", Images{"docker.io/"}, "couchdb:3.4", true},
		{"one image and no other", Images{"ghcr.io/org1/peer" + digest}, "ghcr.io/org1/peer" + digest, true},
		{"one image and no other: not what has another digest", Images{"ghcr.io/org1/peer" + digest}, "ghcr.io/org1/peer@sha256:" + strings.Repeat("0b", 32), false},
		{"one image and no other: not under a tag, which can be moved", Images{"ghcr.io/org1/peer" + digest}, "ghcr.io/org1/peer:1", false},
		{"by digest only", Images{"docker.io/hyperledger/fabric-peer@sha256:"}, "hyperledger/fabric-peer" + digest, true},
		{"by digest only: no tag", Images{"docker.io/hyperledger/fabric-peer@sha256:"}, "docker.io/hyperledger/fabric-peer:3.1.4", false},
		{"by digest only: no tag before it either", Images{"docker.io/hyperledger/fabric-peer@sha256:"}, "docker.io/hyperledger/fabric-peer:3.1.4" + digest, false},
		{"by digest only: of no weaker kind", Images{"docker.io/hyperledger/fabric-peer@sha256:"}, "docker.io/hyperledger/fabric-peer@md5:" + strings.Repeat("0a", 16), false},
		{"one tag by digest only", Images{"docker.io/hyperledger/fabric-peer:3.1.4@sha256:"}, "docker.io/hyperledger/fabric-peer:3.1.4" + digest, true},
		{"one tag by digest only: not the tag alone", Images{"docker.io/hyperledger/fabric-peer:3.1.4@sha256:"}, "docker.io/hyperledger/fabric-peer:3.1.4", false},

		{"a path that climbs", DefaultContractImages, "ghcr.io/hanse-io/../evil/contract:1", false},
		{"a tag with a path in it", peers, "docker.io/hyperledger/fabric-peer:1/evil:1", false},
		{"a user's name in the manner of an address", peers, "docker.io/hyperledger/fabric-peer:1@evil.io/peer:1", false},
		{"white space", peers, "docker.io/hyperledger/fabric-peer:1 ", false},
		{"no image at all", nodeImages, "", false},
		{"an entry of nothing allows nothing", Images{""}, "docker.io/hyperledger/fabric-peer:1", false},
		{"no entry allows nothing", nil, "docker.io/hyperledger/fabric-peer:1", false},
		{"everything, said in so many words", Images{"*"}, "evil.io/peer:1", true},
		{"a star is no pattern", Images{"ghcr.io/*"}, "ghcr.io/hanse-io/contract:1", false},
	} {
		t.Run(row.why, func(t *testing.T) {
			if got := row.allowed.Allows(row.image); got != row.want {
				t.Errorf("%v allows %q: %v", row.allowed, row.image, got)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, row := range []struct {
		why  string
		list Images
		fine bool
	}{
		{"what nodes may run by default", nodeImages, true},
		{"what contracts may run by default", DefaultContractImages, true},
		{"everything", Images{"*"}, true},
		{"nothing would let no node run, which nobody means", nil, false},
		{"an empty entry would be easily taken for everything", Images{""}, false},
		{"a star within an entry is not understood", Images{"ghcr.io/*"}, false},
		{"two entries in one", Images{"ghcr.io/a/,ghcr.io/b/"}, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			if err := row.list.Validate(); (err == nil) != row.fine {
				t.Errorf("got %v", err)
			}
		})
	}
}
