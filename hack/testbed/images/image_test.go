package images

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestPick(t *testing.T) {
	rows := []struct {
		why   string
		names []string
		count int
		err   string
	}{
		{"no name is all", nil, len(catalog), ""},
		{"named ones only", []string{"pause", "fabric-peer"}, 2, ""},
		{"a wrong name is told, with the right ones", []string{"peer"}, 0, "fabric-peer"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			picked, err := pick(row.names)
			if len(picked) != row.count || (err == nil) != (row.err == "") || (err != nil && !strings.Contains(err.Error(), row.err)) {
				t.Errorf("%d %v", len(picked), err)
			}
		})
	}
}

func TestCatalog(t *testing.T) {
	seen := map[string]bool{}
	for _, i := range catalog {
		if _, err := name.NewTag(i.reference, name.StrictValidation); err != nil || seen[i.reference] {
			t.Errorf("%s: %s is taken or wrong: %v", i.name, i.reference, err)
		}
		seen[i.reference] = true
		if len(i.entry)+len(i.cmd) == 0 {
			t.Errorf("%s says nothing to run", i.name)
		}
		for _, b := range i.binaries {
			if (b.part == "") == (b.pkg == "") {
				t.Errorf("%s: %s has to come from a part or from a package", i.name, b.path)
			}
		}
	}
}

// What is written has to be what a container runtime reads: name, user, command and content.
func TestWrite(t *testing.T) {
	scratch := t.TempDir()
	program, to := filepath.Join(scratch, "peer"), filepath.Join(scratch, "image.tar")
	if err := os.WriteFile(program, []byte("binary"), 0o755); err != nil {
		t.Fatal(err)
	}
	peer := catalog[3]
	if peer.name != "fabric-peer" {
		t.Fatalf("expected the peer, got %s", peer.name)
	}
	if err := peer.write(scratch, to, withParents(append(base(), file{path: "/usr/local/bin/peer", mode: 0o755, source: program}))); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("docker.io/hyperledger/fabric-peer:3.1.4")
	if err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(to, &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := read.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Config; got.User != "65532:65532" || strings.Join(got.Cmd, " ") != "peer node start" || !strings.Contains(strings.Join(got.Env, " "), "FABRIC_CFG_PATH=/etc/hyperledger/fabric") {
		t.Errorf("config %+v", got)
	}
	layers, err := read.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if entries(t, content)["usr/local/bin/peer"] == nil {
		t.Error("the peer is not in its image")
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	rows := []struct {
		why, entry string
		stays      bool
	}{
		{"the oldest of many goes", "asset-1", false},
		{"a newer one may still be in use", "asset-2", true},
		{"so may this", "asset-3", true},
		{"the newest", "asset-4", true},
		{"another image with a longer name", "asset-notary-1", true},
	}
	for _, row := range rows {
		if err := os.Mkdir(filepath.Join(dir, row.entry), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(dir, "asset-1"), epoch, epoch); err != nil {
		t.Fatal(err)
	}
	if err := prune(dir, "asset"); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(dir, row.entry)); errors.Is(err, os.ErrNotExist) == row.stays {
				t.Errorf("%s: %v", row.entry, err)
			}
		})
	}
}
