package statement

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestPins(t *testing.T) {
	first, second := newAuthority(t, "one", nil), newAuthority(t, "two", nil)
	one, two, three := text(first.cert), text(second.cert), text(newAuthority(t, "three", nil).cert)
	next := text(first.reissue(t, first, func(c *x509.Certificate) { c.NotBefore = today }))
	older := text(first.reissue(t, first, func(c *x509.Certificate) { c.NotBefore = today.AddDate(-2, 0, 0) }))
	renamed := text(first.reissue(t, first, func(c *x509.Certificate) { c.NotBefore, c.Subject.CommonName = today, "other" }))
	forged := text(first.reissue(t, newAuthority(t, "one", nil), func(c *x509.Certificate) { c.NotBefore = today }))
	leaf := text(first.reissue(t, first, func(c *x509.Certificate) { c.NotBefore, c.IsCA, c.KeyUsage = today, false, 0 }))
	namesake := text(newAuthority(t, "one", nil).cert)
	pinned := Pins{"org1": one, "org2": two}
	for _, row := range []struct {
		why     string
		members []v1alpha1.PlanMember
		want    Comparison
	}{
		{"as they were", []v1alpha1.PlanMember{{Name: "org1", Root: one}, {Name: "org2", Root: two}}, Comparison{Pins: pinned}},
		{"the same certificate, wrapped otherwise", []v1alpha1.PlanMember{{Name: "org1", Root: strings.ReplaceAll(one, "\n", "\r\n")}}, Comparison{Pins: pinned}},
		{"a renewed certificate of the same key is followed", []v1alpha1.PlanMember{{Name: "org1", Root: next}},
			Comparison{Pins: Pins{"org1": next, "org2": two}, Renewed: []string{"org1"}}},
		{"an older certificate of the same key is not gone back to", []v1alpha1.PlanMember{{Name: "org1", Root: older}}, Comparison{Pins: pinned}},
		{"the same subject with another key", []v1alpha1.PlanMember{{Name: "org1", Root: namesake}}, Comparison{Pins: pinned, Changed: []string{"org1"}}},
		{"the same key under another subject", []v1alpha1.PlanMember{{Name: "org1", Root: renamed}}, Comparison{Pins: pinned, Changed: []string{"org1"}}},
		{"the same key and subject, certified by somebody who has not got the key", []v1alpha1.PlanMember{{Name: "org1", Root: forged}},
			Comparison{Pins: pinned, Changed: []string{"org1"}}},
		{"the same key and subject, but no authority any more", []v1alpha1.PlanMember{{Name: "org1", Root: leaf}},
			Comparison{Pins: pinned, Changed: []string{"org1"}}},
		{"one is new", []v1alpha1.PlanMember{{Name: "org3", Root: three}}, Comparison{Pins: Pins{"org1": one, "org2": two, "org3": three}, Added: true}},
		{"one has not published a root yet", []v1alpha1.PlanMember{{Name: "org3"}}, Comparison{Pins: pinned}},
		{"two have changed, and are not believed", []v1alpha1.PlanMember{{Name: "org2", Root: one}, {Name: "org1", Root: three}},
			Comparison{Pins: pinned, Changed: []string{"org1", "org2"}}},
		{"one has grown by a second root", []v1alpha1.PlanMember{{Name: "org1", Root: one + three}}, Comparison{Pins: pinned, Changed: []string{"org1"}}},
		{"one cannot be read", []v1alpha1.PlanMember{{Name: "org3", Root: "x"}}, Comparison{Pins: pinned, Unreadable: []string{"org3"}}},
		{"nobody is left, and nobody forgotten", nil, Comparison{Pins: pinned}},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := pinned.Compare(row.members)
			if d := cmp.Diff(row.want, got); d != "" {
				t.Error(d)
			}
			if news := cmp.Diff(pinned, got.Pins) != ""; got.News() != news {
				t.Errorf("news: %v", got.News())
			}
			if len(pinned) != 2 {
				t.Error("the pins themselves were changed")
			}
		})
	}
	if c := Pins(nil).Compare([]v1alpha1.PlanMember{{Name: "org1", Root: one}}); !c.Added || c.Pins["org1"] != one {
		t.Errorf("the very first: %+v", c)
	}
}

// reissue makes another certificate for the authority's key, certified by the key of by.
func (a *authority) reissue(t *testing.T, by *authority, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := *a.cert
	// What is in its raw form would win over what edit does.
	template.SerialNumber, template.RawSubject = big.NewInt(7), nil
	edit(&template)
	issuer := template
	issuer.PublicKey = by.key.Public()
	return create(t, &template, &authority{cert: &issuer, key: by.key}, &a.key.PublicKey)
}

// A host that goes on inventing members fills the pins up to their size and no further; what is pinned goes on to hold.
func TestPinsAreBounded(t *testing.T) {
	root := text(newAuthority(t, "one", nil).cert)
	pins := Pins{"org1": root}
	for i := 0; ; i++ {
		c := pins.Compare([]v1alpha1.PlanMember{{Name: "org1", Root: root}, {Name: fmt.Sprintf("junk%d", i), Root: root + strings.Repeat("\n", 4<<10)}})
		pins = c.Pins
		if len(c.Full) > 0 {
			break
		}
		if i > 1000 {
			t.Fatal("there is no end to it")
		}
	}
	if size := pins.size(); size > MaxPinsBytes || pins["org1"] != root {
		t.Errorf("%d bytes are pinned", size)
	}
	c := Pins{}.Compare([]v1alpha1.PlanMember{{Name: "org1", Root: root + strings.Repeat("\n", MaxRootBytes)}})
	if len(c.Unreadable) != 1 || len(c.Pins) != 0 {
		t.Errorf("a root of more than %d bytes: %+v", MaxRootBytes, c)
	}
}
