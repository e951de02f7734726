package images

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

func TestPick(t *testing.T) {
	rows := []struct {
		why   string
		names []string
		count int
		err   string
	}{
		{"no name is all", nil, 3, ""},
		{"named ones only", []string{"pause", "fabric-peer"}, 2, ""},
		{"a wrong name is told, with the right ones", []string{"peer"}, 0, "fabric-peer"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			picked, err := pick(append(slices.Clone(ownImages), project.Image{Name: "fabric-peer"}), row.names)
			if len(picked) != row.count || (err == nil) != (row.err == "") || (err != nil && !strings.Contains(err.Error(), row.err)) {
				t.Errorf("%d %v", len(picked), err)
			}
		})
	}
}

// The images of the project itself have names that a registry takes, each its own.
func TestCatalog(t *testing.T) {
	known, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, i := range known {
		if _, err := name.NewTag(i.Reference, name.StrictValidation); err != nil || seen[i.Reference] {
			t.Errorf("%s: %s is taken or wrong: %v", i.Name, i.Reference, err)
		}
		seen[i.Reference] = true
	}
}

// What is written has to be what a container runtime reads: name, user, command and content.
func TestWrite(t *testing.T) {
	scratch := t.TempDir()
	program, to := filepath.Join(scratch, "peer"), filepath.Join(scratch, "image.tar")
	if err := os.WriteFile(program, []byte("binary"), 0o755); err != nil {
		t.Fatal(err)
	}
	peer := project.Image{
		Name: "fabric-peer", Reference: "docker.io/hyperledger/fabric-peer:3.1.4",
		Env: []string{"FABRIC_CFG_PATH=/etc/hyperledger/fabric"}, Cmd: []string{"peer", "node", "start"},
	}
	if err := write(peer, scratch, to, withParents(append(base(), file{path: "/usr/local/bin/peer", mode: 0o755, source: program}))); err != nil {
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
