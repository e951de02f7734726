package planner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// organization runs some peers and an orderer.
func organization(name string, peers int32) ledger.Organization {
	return ledger.Organization{Member: name, ID: name + "MSP", Nodes: map[v1alpha1.NodeRole]int32{v1alpha1.RolePeer: peers, v1alpha1.RoleOrderer: 1}}
}

func TestNodes(t *testing.T) {
	consortium := &v1alpha1.Consortium{Spec: v1alpha1.ConsortiumSpec{
		Ledger: v1alpha1.LedgerSpec{Fabric: &v1alpha1.FabricSpec{PeerImage: "peer:2"}},
		Nodes:  v1alpha1.NodeSettings{StateDatabase: v1alpha1.StateCouchDB, ExtraSANs: []string{"all.example"}},
	}}
	own := &v1alpha1.NodeSettings{ExtraSANs: []string{"own.example"}, Storage: v1alpha1.Storage{Size: ptr.To(resource.MustParse("9Gi"))}}
	got := Planner{}.Nodes(consortium, &v1alpha1.ConsortiumMember{Name: "org1", Peers: ptr.To[int32](2), Nodes: own})
	var read []string
	for _, n := range got {
		read = append(read, strings.Join([]string{n.Name, n.Image, n.StateDatabaseImage, n.Storage.Size.String(), n.ExtraSANs[0]}, " "))
	}
	want := []string{
		"orderer0-org1 " + DefaultOrdererImage + "  9Gi own.example",
		"peer0-org1 peer:2 " + DefaultCouchDBImage + " 9Gi own.example", "peer1-org1 peer:2 " + DefaultCouchDBImage + " 9Gi own.example",
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error(diff)
	}
}

func TestCheckOrganizations(t *testing.T) {
	same := organization("org2", 1)
	same.ID = "org1MSP"
	for _, row := range []struct {
		why  string
		all  []ledger.Organization
		says string
	}{
		{"each has its own", []ledger.Organization{organization("org1", 1), organization("org2", 0)}, ""},
		{"two have the same", []ledger.Organization{organization("org1", 1), same}, "org1 and org2 have the same MSP ID, org1MSP"},
	} {
		if got := (Planner{}).CheckOrganizations(row.all); (got == "") != (row.says == "") || !strings.Contains(got, row.says) {
			t.Errorf("%s: %q", row.why, got)
		}
	}
}

func TestCheckEndorsement(t *testing.T) {
	members := []ledger.Organization{organization("org1", 1), organization("org2", 1), organization("org3", 0)}
	for _, row := range []struct {
		why    string
		policy v1alpha1.EndorsementPolicy
		says   string
	}{
		{"most run a peer", v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}, ""},
		{"not all do", v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAll}, "asks for 3 members, but only 2"},
		{"one of those named does", v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"org2", "org3"}}, ""},
		{"too few of those named do", v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 2, Members: []string{"org2", "org3"}}, "asks for 2 members, but only 1"},
		{"a outsider", v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"org9"}}, "org9, which is not in the channel"},
		{"a text that can be met", v1alpha1.EndorsementPolicy{Policy: "AND('org1MSP.peer', 'org2MSP.member')"}, ""},
		{"a text that cannot", v1alpha1.EndorsementPolicy{Policy: "AND('org1MSP.peer', 'org3MSP.peer')"}, "can never be met"},
		{"a text that names a outsider", v1alpha1.EndorsementPolicy{Policy: "OR('org9MSP.peer')"}, "org9MSP, which is the MSP ID of no member"},
		{"no text of the kind", v1alpha1.EndorsementPolicy{Policy: "AND("}, "endorsement.policy: "},
	} {
		if got := (Planner{}).CheckEndorsement(row.policy, members); (got == "") != (row.says == "") || !strings.Contains(got, row.says) {
			t.Errorf("%s: %q", row.why, got)
		}
	}
	spelt := Planner{}.Endorsement(&v1alpha1.EndorsementPolicy{Policy: "OR( 'org1MSP.peer' )"})
	if plain := (Planner{}).Endorsement(&v1alpha1.EndorsementPolicy{Policy: "OR('org1MSP.peer')"}); plain.Policy != spelt.Policy {
		t.Errorf("a change of spaces must be no new definition: %s, %s", plain.Policy, spelt.Policy)
	}
	if got := (Planner{}).Endorsement(nil).Rule; got != v1alpha1.EndorseMajority {
		t.Errorf("by default %s endorse", got)
	}
}

func TestCollections(t *testing.T) {
	members := []ledger.Organization{organization("org1", 1), organization("org2", 2), organization("org3", 0)}
	for _, row := range []struct {
		why        string
		collection v1alpha1.Collection
		says       string
	}{
		{"two hold it", v1alpha1.Collection{Members: []string{"org1", "org2"}, RequiredPeers: 2}, ""},
		{"more peers than they run", v1alpha1.Collection{Members: []string{"org1", "org2"}, RequiredPeers: 3}, "asks for 3 other peers, but its members run 3"},
		{"nobody's peer holds it", v1alpha1.Collection{Members: []string{"org3"}}, "none of its members runs a peer"},
		{"a outsider", v1alpha1.Collection{Members: []string{"org9"}}, "org9 is not a member of channel deals"},
		{"a rule counts its own members", v1alpha1.Collection{Members: []string{"org1"}, Endorsement: &v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAll}}, ""},
		{"a text may name the channel's", v1alpha1.Collection{Members: []string{"org1"}, Endorsement: &v1alpha1.EndorsementPolicy{Policy: "OR('org2MSP.peer')"}}, ""},
	} {
		if got := (Planner{}).CheckCollection(&row.collection, "deals", members); (got == "") != (row.says == "") || !strings.Contains(got, row.says) {
			t.Errorf("%s: %q", row.why, got)
		}
	}
	declared := []v1alpha1.Collection{{Name: "b", Members: []string{"org2", "org1"}}, {Name: "a", Members: []string{"org1"}}}
	got := Planner{}.Collections(declared)
	if got[0].Name != "a" || !slices.Equal(got[1].Members, []string{"org1", "org2"}) || *got[1].MaxPeers != 1 || !*got[1].MemberOnlyRead {
		t.Errorf("filled in: %+v", got)
	}
	if declared[0].Members[0] != "org2" {
		t.Error("what was declared was changed: it may be a cache's own")
	}
}

func TestBatch(t *testing.T) {
	got := Planner{}.Batch(&v1alpha1.Batch{AbsoluteMaxBytes: ptr.To(resource.MustParse("1Mi"))})
	if got.PreferredMaxBytes.String() != "1Mi" || got.MaxMessages != 500 || got.Timeout.Duration != 500*time.Millisecond {
		t.Errorf("filled in: %+v", got)
	}
	for _, row := range []struct {
		why   string
		batch v1alpha1.Batch
		says  string
	}{
		{"the defaults", v1alpha1.Batch{}, ""},
		{"larger than any block", v1alpha1.Batch{PreferredMaxBytes: ptr.To(resource.MustParse("11Mi"))}, "larger than batch.absoluteMaxBytes"},
		{"nothing", v1alpha1.Batch{AbsoluteMaxBytes: ptr.To(resource.MustParse("0"))}, "must be greater than 0: give a size"},
		{"no time", v1alpha1.Batch{Timeout: &metav1.Duration{}}, "must be greater than 0: give a time"},
	} {
		if got := (Planner{}).CheckBatch(&row.batch); (got == "") != (row.says == "") || !strings.Contains(got, row.says) {
			t.Errorf("%s: %q", row.why, got)
		}
	}
}
