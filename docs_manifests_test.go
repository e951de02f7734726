package hanse

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/documents"
)

// TestManifestsDecode holds that the manifests of the documents have the fields of their kinds and no others. That an API server
// takes them is tested in cmd/federation, with the CRDs' own rules.
func TestManifestsDecode(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoded := 0
	for _, page := range pages(t) {
		for _, block := range blocks(t, page) {
			for _, manifest := range block.Manifests() {
				kind := documents.KindOf(manifest)
				object, err := scheme.New(v1alpha1.GroupVersion.WithKind(kind))
				if err != nil {
					continue // somebody else's
				}
				decoded++
				if err := yaml.UnmarshalStrict([]byte(manifest), object); err != nil {
					t.Errorf("%s: %v in\n%s", block, err, manifest)
				}
			}
		}
	}
	if decoded < 10 {
		t.Errorf("only %d manifests were found: the pattern does not fit any more", decoded)
	}
}
