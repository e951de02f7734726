//go:build integration

package main

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/hack/documents"
)

// placeholders is what stands in the documents' manifests where a reader puts in something of their own.
var placeholders = strings.NewReplacer("sha256:...", "sha256:"+strings.Repeat("0", 64))

// TestDocumentsManifests has a real API server admit every manifest of the documents, without storing it: the CRDs' rules
// hold for them.
func TestDocumentsManifests(t *testing.T) {
	pages, err := documents.Pages("../..")
	must(t, err)
	namespace, admitted := namespaced(t), 0
	for _, page := range pages {
		blocks, err := page.Blocks()
		must(t, err)
		for _, block := range blocks {
			for _, manifest := range block.Manifests() {
				if strings.Contains(manifest, "apiVersion:") && !strings.Contains(manifest, header) {
					continue // somebody else's
				}
				o := object(t, strings.ReplaceAll(placeholders.Replace(manifest), header, ""), namespace)
				// The documents leave names out where they do not matter; one that is taken does not matter either.
				o.SetName("documented")
				if err := admin.Create(t.Context(), o, client.DryRunAll); err != nil {
					t.Errorf("%s: %v in\n%s", block, err, manifest)
				}
				admitted++
			}
		}
	}
	if admitted < 10 {
		t.Errorf("only %d manifests were found: has their form changed?", admitted)
	}
}
