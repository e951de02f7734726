package plan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// large is a consortium of 64 members with the same root and lines between all of them, 256 channels among all of them and a
// contract on each.
func large(root string, name func(i int) string) Input {
	var members []v1alpha1.ConsortiumMember
	for i := range 64 {
		members = append(members, org(name(i), 1, 1))
	}
	in := input(members...)
	in.Channels, in.Contracts = nil, nil
	for i := range 256 {
		channel := fmt.Sprintf("channel-%03d", i)
		in.Channels = append(in.Channels, v1alpha1.Channel{
			ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: channel, CreationTimestamp: metav1.NewTime(epoch.Add(time.Duration(i) * time.Second))},
			Spec:       v1alpha1.ChannelSpec{Consortium: "trade"},
		})
		in.Contracts = append(in.Contracts, contract(fmt.Sprintf("contract-%03d", i), channel))
	}
	for _, member := range in.Members {
		member.Status.Root = root
	}
	return in
}

// rootPEM is a root of the kind that cert-manager issues for an organization: ECDSA P-256, with a subject key ID.
func rootPEM(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "organization00"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, NotBefore: epoch, NotAfter: epoch.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// whole is the size of a Member's plan with the definition in it, as its agent keeps it, in bytes of JSON without the status.
func whole(t *testing.T, res Result, member string) int {
	t.Helper()
	return planBytes(t, res.Plans[member])
}

func planBytes(t *testing.T, spec v1alpha1.MemberPlanSpec) int {
	t.Helper()
	text, err := json.Marshal(&v1alpha1.MemberPlan{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	return len(text)
}

// consortium64 is the large one with everything reported: statements, and that every Member but newcomer holds the first blocks.
func consortium64(t *testing.T, newcomer string) Input {
	t.Helper()
	in := writePlans(large(rootPEM(t), func(i int) string { return fmt.Sprintf("organization%02d", i) }))
	for name, p := range in.Plans {
		p.Status.Record, p.Status.Holdings = hashOf("record of "+name), hashOf("holdings of "+name)
		for i := range p.Spec.Channels {
			p.Spec.Channels[i].GenesisHash = hashOf(p.Spec.Channels[i].Name)
			if name != newcomer {
				reports(in, name, p.Spec.Channels[i].Name, p.Spec.Channels[i].Name, name == "organization00")
			}
		}
	}
	return in
}

// maxStored is what the plan of a large consortium may have as it is stored, in bytes.
const maxStored = 16 << 10

// TestPlanSize builds the plan of one of 64 members with 256 channels among them all, and holds its size as it is stored, that
// of the definition that it refers to, and that of the two together. Nothing that travels as a statement is in them, and what
// channels and lines share is said once. Of a stored plan 6 KB are the lines, 4 KB the digests of records, and up to 4 KB
// references to first blocks.
func TestPlanSize(t *testing.T) {
	const member = "organization05"
	for _, row := range []struct {
		why      string
		newcomer string
		change   func(*Input)
		// limits in bytes
		definition, whole int
	}{
		{"without channels: members, their roots and nodes, and lines", "", func(in *Input) { in.Channels, in.Contracts = nil, nil }, 60 << 10, 64 << 10},
		{"without contracts", "", func(in *Input) { in.Contracts = nil }, 90 << 10, 93 << 10},
		{"a contract on each channel", "", func(*Input) {}, 130 << 10, 136 << 10},
		{"a new member has none of the first blocks yet", member, func(*Input) {}, 130 << 10, 140 << 10},
	} {
		t.Run(row.why, func(t *testing.T) {
			in := consortium64(t, row.newcomer)
			row.change(&in)
			res := Compute(in)
			plans, definition := Stored(res)
			if definition == nil {
				t.Fatal("no definition")
			}
			got := planBytes(t, plans[member])
			t.Logf("%d bytes stored, definition %d, whole %d", got, len(definition.Content), whole(t, res, member))
			if got > maxStored {
				t.Errorf("the stored plan has %d bytes, more than %d", got, maxStored)
			}
			if len(definition.Content) > row.definition || row.definition > v1alpha1.MaxPlanBytes {
				t.Errorf("the definition has %d bytes, more than %d", len(definition.Content), row.definition)
			}
			if whole(t, res, member) > row.whole {
				t.Errorf("together they have %d bytes, more than %d", whole(t, res, member), row.whole)
			}
			spec := res.Plans[member]
			if len(spec.Channels) != len(in.Channels) || len(spec.Contracts) != len(in.Contracts) {
				t.Errorf("%d channels, %d contracts", len(spec.Channels), len(spec.Contracts))
			}
		})
	}
}

// TestBytesOfOneChange is what the host writes when one Member of the large consortium has changed its root, or signed a new
// record.
func TestBytesOfOneChange(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(Input)
		// definition is whether it is written, and part of what would be written with whole plans may be written at the most.
		definition bool
		part       float64
	}{
		{"a root", func(in Input) { in.Members["organization05"].Status.Root = rootPEM(t) }, true, 0.15},
		{"a record", func(in Input) { in.Plans["organization05"].Status.Record = hashOf("new") }, false, 0.1},
	} {
		t.Run(row.why, func(t *testing.T) {
			in := consortium64(t, "")
			before, old := Stored(Compute(in))
			row.change(in)
			res := Compute(in)
			plans, definition := Stored(res)
			bytes, all := 0, 0
			if *definition != *old {
				bytes = len(definition.Content)
			}
			if (bytes > 0) != row.definition {
				t.Errorf("the definition: %d bytes", bytes)
			}
			for member, spec := range plans {
				if equality.Semantic.DeepEqual(spec, before[member]) {
					t.Errorf("the plan of %s is the same", member)
				}
				bytes += planBytes(t, spec)
				all += whole(t, res, member)
			}
			t.Logf("%d bytes, with whole plans %d", bytes, all)
			if float64(bytes) > row.part*float64(all) {
				t.Errorf("%d bytes are written, more than %.2f of %d", bytes, row.part, all)
			}
		})
	}
}

// TestPlanFull has names so long that not everything fits: what is in the plans stays, new objects that do not fit are not
// accepted, and nothing else changes.
func TestPlanFull(t *testing.T) {
	in := large(rootPEM(t), func(i int) string { return fmt.Sprintf("%s%02d", strings.Repeat("a", 38), i) })
	for i := range in.Channels {
		for _, m := range in.Consortium.Spec.Members[:63] {
			in.Channels[i].Spec.Members = append(in.Channels[i].Spec.Members, m.Name)
		}
	}
	res := Compute(in)
	accepted := 0
	for i := range in.Channels {
		validation := res.Channels[in.Channels[i].Name]
		if validation.Accepted {
			accepted++
		} else if validation.Reason != v1alpha1.ReasonPlanFull || !strings.Contains(validation.Message, "has no room for this channel") {
			t.Errorf("%+v", validation)
		}
	}
	if accepted < 100 || accepted == 256 || !res.Channels["channel-000"].Accepted {
		t.Fatalf("%d channels were accepted", accepted)
	}
	for member := range res.Plans {
		if size := whole(t, res, member); size > v1alpha1.MaxPlanBytes*3/4 {
			t.Errorf("the plan of %s has %d bytes", member, size)
		}
	}
	if validation := res.Contracts["contract-255"]; validation.Accepted {
		t.Error("a contract on a channel that is in no plan was accepted")
	}
	// An older channel that is added does not displace one that is planned already.
	in = writePlans(in)
	older := channel("aaa")
	older.CreationTimestamp = metav1.NewTime(epoch.Add(-time.Hour))
	in.Channels = append(in.Channels, older)
	again := Compute(in)
	for i := range in.Channels {
		if name := in.Channels[i].Name; name != "aaa" && res.Channels[name].Accepted != again.Channels[name].Accepted {
			t.Errorf("channel %s lost its place", name)
		}
	}
}

// TestTooManyChannels has more channels than the CRD lets a plan carry.
func TestTooManyChannels(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 1))
	in.Channels, in.Contracts = nil, nil
	for i := range v1alpha1.MaxPlanChannels + 3 {
		in.Channels = append(in.Channels, channel(fmt.Sprintf("c%03d", i)))
	}
	for i := range v1alpha1.MaxPlanContracts + 3 {
		in.Contracts = append(in.Contracts, contract(fmt.Sprintf("k%03d", i), "c000"))
	}
	p := Compute(in).Plans["a"]
	if len(p.Channels) != v1alpha1.MaxPlanChannels || len(p.Contracts) != v1alpha1.MaxPlanContracts {
		t.Errorf("%d channels and %d contracts", len(p.Channels), len(p.Contracts))
	}
}
