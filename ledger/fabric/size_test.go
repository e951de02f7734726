package fabric_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// TestLargestGenesis makes the first block of the largest channel that there can be: sixty-four organizations, each with an
// orderer. It has to fit into a plan.
func TestLargestGenesis(t *testing.T) {
	var names []string
	for i := range 64 {
		names = append(names, fmt.Sprintf("organization-%02d", i))
	}
	for _, row := range []struct{ members, most int }{{3, 12 << 10}, {64, v1alpha1.MaxGenesisBytes}} {
		members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, names[:row.members]...)...)
		must(t, err)
		channel := v1alpha1.PlanChannel{Name: "goods", Members: names[:row.members], Leader: names[0]}
		block, err := sessionOf(t, members[0], fabrictest.Records(members)).Genesis(channel)
		must(t, err)
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		must(t, err)
		_, err = w.Write(block)
		must(t, err)
		must(t, w.Close())
		t.Logf("%d members: %d bytes, %d compressed", row.members, len(block), packed.Len())
		if packed.Len() > row.most {
			t.Errorf("%d members: %d bytes compressed, more than %d", row.members, packed.Len(), row.most)
		}
	}
}
