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

// stored is the size of a Member's plan as it is stored, without the status, in bytes of JSON.
func stored(t *testing.T, res Result, member string) int {
	t.Helper()
	text, err := json.Marshal(&v1alpha1.MemberPlan{Spec: res.Plans[member]})
	if err != nil {
		t.Fatal(err)
	}
	return len(text)
}

// TestPlanSize builds the plan of one of 64 members with 256 channels among them all, and holds its size. Nothing that
// travels as a statement is in it, and what channels share is said once: without that, the one without contracts had 416 KB
// and not 94. Of those, 37 KB are the roots and 20 KB the hashes of the first blocks, both of which agents pin, 11 KB are the
// lines, 5 KB the digests of records; the rest is names. It cannot get to 16 KB before roots are referred to as well.
func TestPlanSize(t *testing.T) {
	const member = "organization05"
	// online has every member report its statements, and that it holds the first blocks.
	online := func(in Input) {
		for name, p := range in.Plans {
			p.Status.Record, p.Status.Holdings = hashOf("record of "+name), hashOf("holdings of "+name)
			for i := range p.Spec.Channels {
				p.Spec.Channels[i].GenesisHash = hashOf(p.Spec.Channels[i].Name)
				reports(in, name, p.Spec.Channels[i].Name, p.Spec.Channels[i].Name, false)
			}
		}
	}
	for _, row := range []struct {
		why    string
		change func(*Input)
		limit  int
	}{
		{"without channels: members, their roots and nodes, and lines", func(in *Input) { in.Channels, in.Contracts = nil, nil }, 68 << 10},
		{"without contracts", func(in *Input) { in.Contracts = nil }, 97 << 10},
		{"a contract on each channel", func(*Input) {}, 140 << 10},
		{"a new member has none of the first blocks yet", func(in *Input) { in.Plans[member].Status.Channels = nil }, 173 << 10},
	} {
		t.Run(row.why, func(t *testing.T) {
			in := writePlans(large(rootPEM(t), func(i int) string { return fmt.Sprintf("organization%02d", i) }))
			online(in)
			for i := range in.Plans["organization00"].Status.Channels {
				in.Plans["organization00"].Status.Channels[i].Genesis = hashOf("statement")
			}
			row.change(&in)
			res := Compute(in)
			got := stored(t, res, member)
			t.Logf("%d bytes", got)
			if got > row.limit {
				t.Errorf("the plan has %d bytes, more than %d", got, row.limit)
			}
			spec := res.Plans[member]
			if len(spec.Channels) != len(in.Channels) || len(spec.Contracts) != len(in.Contracts) {
				t.Errorf("%d channels, %d contracts", len(spec.Channels), len(spec.Contracts))
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
		if size := stored(t, res, member); size > v1alpha1.MaxPlanBytes*3/4 {
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
