//go:build integration

package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// TestRelease makes a whole release for this machine's platform, as `make release` does for five, and checks that it is
// complete, that its checksums are right, and that charts, plugin and an image come out the same a second time.
func TestRelease(t *testing.T) {
	to, helm := t.TempDir(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "helm")
	host := runtime.GOOS + "/" + runtime.GOARCH
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	if err := command(t.Context(), []string{"--to", to, "--platforms", host, "--helm", helm}); err != nil {
		t.Fatal(err)
	}
	version, err := versionOf("../..", "")
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(to, "v"+version)
	sums := checkSums(t, made)
	for _, want := range []string{
		"charts/federation-" + version + ".tgz", "charts/member-agent-" + version + ".tgz", "crds-federation.yaml", "crds-member-agent.yaml",
		"images.txt", "images/hanse-federation-" + version + ".tar", "images/hanse-member-agent-" + version + ".tar", "images/hanse-gateway-" + version + ".tar",
		"plugin/hanse.yaml", "plugin/" + pluginArchive(version, platform{runtime.GOOS, runtime.GOARCH}), "sbom.cdx.json",
	} {
		if sums[want] == "" {
			t.Errorf("the release has no %s", want)
		}
	}
	checkImages(t, made, sums)
	checkText(t, filepath.Join(made, "sbom.cdx.json"), "pkg:golang/k8s.io/client-go@", "pkg:golang/github.com/hyperledger/fabric-contract-api-go/v2@")
	checkText(t, filepath.Join(made, "plugin", "hanse.yaml"), "version: v"+version, "sha256: "+sums["plugin/"+pluginArchive(version, platform{runtime.GOOS, runtime.GOARCH})])
	checkText(t, filepath.Join(made, "crds-federation.yaml"), "app.kubernetes.io/version: "+version, "name: members.federation.hanse.io", "name: statements.federation.hanse.io")
	checkSecondRun(t, version, helm, sums)
}

// checkSecondRun makes again, in another place, what is made in each way there is.
func checkSecondRun(t *testing.T, version, helm string, sums map[string]string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	at, err := commitTime(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	r := release{root: root, to: t.TempDir(), work: t.TempDir(), version: version, time: at, helm: helm, out: io.Discard,
		platforms: []platform{{runtime.GOOS, runtime.GOARCH}}}
	known, err := readProject(root)
	if err != nil {
		t.Fatal(err)
	}
	gateway := known.Images[slices.IndexFunc(known.Images, func(i project.Image) bool { return i.Name == "gateway" })]
	if err := r.charts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.plugin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.image(t.Context(), gateway); err != nil {
		t.Fatal(err)
	}
	again, err := folder(r.to)
	if err != nil || len(again) < 5 {
		t.Fatalf("the second run made %v, %v", again, err)
	}
	for _, file := range again {
		if sum, err := fileSum(file.source); err != nil || sum != sums[file.name] {
			t.Errorf("%s is another the second time: %s, not %s, %v", file.name, sum, sums[file.name], err)
		}
	}
}

// checkSums reads SHA256SUMS and checks that it covers every file, with the right sums.
func checkSums(t *testing.T, made string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(made, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	files, err := folder(made)
	if err != nil || len(files) != len(sums)+1 {
		t.Fatalf("%d files, %d checksums, %v", len(files), len(sums), err)
	}
	for _, file := range files {
		if sum, err := fileSum(file.source); file.name != "SHA256SUMS" && (err != nil || sum != sums[file.name]) {
			t.Errorf("%s has %s, not %s, %v", file.name, sum, sums[file.name], err)
		}
	}
	return sums
}

// checkImages checks that the list has Hanse's own images by digest, each with its layout, and the others without.
func checkImages(t *testing.T, made string, sums map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(made, "images.txt"))
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, line := range strings.Fields(string(text)) {
		reference, digest, pinned := strings.Cut(line, "@sha256:")
		if pinned != strings.Contains(line, "/hanse-io/") || pinned && len(digest) != 64 {
			t.Errorf("the list has %s", line)
		}
		if !pinned {
			continue
		}
		own++
		if file := "images/" + strings.ReplaceAll(filepath.Base(reference), ":", "-") + ".tar"; sums[file] == "" {
			t.Errorf("%s has no %s", line, file)
		}
	}
	if own != 5 || !strings.Contains(string(text), "docker.io/hyperledger/fabric-peer:") {
		t.Errorf("%d images of Hanse's own in\n%s", own, text)
	}
}

func checkText(t *testing.T, file string, wants ...string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range wants {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q", file, want)
		}
	}
}
